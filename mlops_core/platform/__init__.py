"""Building the Lambda archives and deploying the templates: the same on AWS and on the local platform."""
