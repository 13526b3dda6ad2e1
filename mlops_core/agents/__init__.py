"""Eleven Lambda agents: deterministic workers that decide, and let MCP tools do.

One module per word; `agents/handler.py` is the one wrapper, `agents/following.py` the one way to start and follow a long job.
Agents exchange plain JSON, so that a cold start imports no model library; the MCP server checks every argument by its closed schema.
"""
