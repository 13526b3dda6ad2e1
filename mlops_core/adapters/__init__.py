"""Implementations of `mlops_core.ports`: ``<port>_<vendor>.py`` over boto3 and PyGithub, and `in_memory` for tests."""
