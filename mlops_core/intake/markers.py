"""Hidden lines by which our comments are found again and edited in place."""

from __future__ import annotations


def refusal_marker(issue: int) -> str:
    """The one refusal comment of an issue."""
    return f"<!-- mlops:refusal:{issue} -->"


def stranger_marker(issue: int) -> str:
    """The one answer to people who may not start runs: however often they label, it stays one comment."""
    return f"<!-- mlops:stranger:{issue} -->"


def command_marker(comment_id: int) -> str:
    """The answer to one command."""
    return f"<!-- mlops:command:{comment_id} -->"
