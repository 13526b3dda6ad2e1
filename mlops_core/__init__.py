"""GitHub Actions-native MLOps for AWS: from a labelled issue to a governed, served and watched model."""

__version__ = "0.1.0"
