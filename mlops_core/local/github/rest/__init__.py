"""The REST API under /api/v3, one module per chapter of GitHub's documentation."""
