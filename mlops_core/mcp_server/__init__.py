"""The MLOps MCP server, and the thin client that agents use (importing this package imports neither)."""
