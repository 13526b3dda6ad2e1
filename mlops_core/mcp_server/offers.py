"""Which tools each alias of the server offers: one alias per word, so that IAM decides who may do what.

offer("training")      # {"read_run": Tool, "propose_plan": Tool, …}; NotFound for an unknown alias
everything()           # every tool once, for people's assistants
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Mapping

from mlops_core.errors import Defect, NotFound
from mlops_core.tool import Tool

WORDS = (
    "issue",
    "optimization",
    "data",
    "training",
    "evaluation",
    "packaging",
    "deployment",
    "monitoring",
    "retraining",
    "notification",
    "history",
)
OFFERS: Mapping[str, tuple[str, ...]] = {
    "issue": ("issue",),
    "data": ("data",),
    # The plan is the training agent's first act.
    "training": ("training", "optimization"),
    "evaluation": ("evaluation",),
    "packaging": ("packaging",),
    "deployment": ("deployment",),
    "monitoring": ("monitoring",),
    "retraining": ("retraining",),
    "notification": ("notification",),
    "history": ("history",),
}
"""Alias -> capabilities whose tools it offers; every capability also offers the common tools."""


@functools.cache
def offer(alias: str) -> Mapping[str, Tool]:
    """The tools of an alias by name."""
    if alias not in OFFERS:
        raise NotFound(f"the MLOps server has no alias {alias[:40]!r}; aliases: {', '.join(OFFERS)}.", code="E-MCP-ALIAS")
    return _by_name(tool for word in OFFERS[alias] for tool in tools_of(word))


def tools_of(word: str) -> tuple[Tool, ...]:
    """The tools a capability declares."""
    found: tuple[Tool, ...] = importlib.import_module(f"mlops_core.capabilities.{word}").TOOLS
    return found


@functools.cache
def everything() -> Mapping[str, Tool]:
    """Every tool of every capability, each name once."""
    return _by_name(tool for word in WORDS for tool in tools_of(word))


def _by_name(tools: Iterable[Tool]) -> Mapping[str, Tool]:
    """Names are unique: the same name may stand twice only for the very same function."""
    found: dict[str, Tool] = {}
    for tool in tools:
        if found.setdefault(tool.name, tool).function is not tool.function:
            raise Defect(f"two tools are called {tool.name}.")
    return found
