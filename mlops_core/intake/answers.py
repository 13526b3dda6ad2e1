"""Fixed answers to people whose label starts nothing, in both languages: their request was not read, so its language is unknown."""

from __future__ import annotations

from mlops_core.contracts.request import Language
from mlops_core.intake.markers import refusal_marker, stranger_marker
from mlops_core.intake.messages import phrase

_LANGUAGES: tuple[Language, ...] = ("en", "ja")


def stranger_comment(issue: int, *, unverified: bool) -> str:
    """The one comment for a person who may not start runs, or whose permission could not be verified."""
    key = "unverified" if unverified else "stranger"
    parts = [f"### {phrase('stranger_title', language)}\n\n{phrase(key, language)}" for language in _LANGUAGES]
    return "\n\n".join([stranger_marker(issue), *parts]) + "\n"


def edited_comment(issue: int) -> str:
    """The comment for an issue whose text changed after its approval."""
    parts = [f"### {phrase('title', language)}\n\n{phrase('edited', language)}" for language in _LANGUAGES]
    return "\n\n".join([refusal_marker(issue), *parts]) + "\n"
