"""Reproducible measurements, each a module with its own table of results."""
