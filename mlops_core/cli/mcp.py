"""`mlops mcp`: the suite's tools for a person's assistant, over stdio."""

from __future__ import annotations

import argparse

from mlops_core.cli.console import Console

HELP = "Serve the suite's tools over MCP on stdin and stdout (read-only unless --write)."
EXAMPLE = "  mlops mcp --local\n  mlops mcp --write     # mutating tools too; needs AWS credentials that allow them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--write", action="store_true", help="offer the tools that change something too")
    parser.add_argument("--local", action="store_true", help="use the running local platform instead of AWS")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Serve until standard input ends."""
    import os

    from mlops_core.adapters.assemble import ports_for_cli
    from mlops_core.mcp_server.stdio import serve

    if arguments.local:
        from mlops_core.cli.platform import attached

        ports = attached(console).ports()
    else:
        ports = ports_for_cli(os.environ)
    serve(ports, write=arguments.write)
    return 0
