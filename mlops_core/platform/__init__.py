"""Building what AWS runs and deploying the templates, the same way to AWS and to the local platform."""
