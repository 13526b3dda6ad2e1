"""Workflows and actions as parsed YAML, for the policy tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted(
    [*(ROOT / ".github" / "workflows").glob("*.yml"), *(ROOT / "examples" / "caller" / ".github" / "workflows").glob("*.yml")]
)
PUBLIC = [path for path in WORKFLOWS if path.name in {"train.yml", "operate.yml"}]
CALLERS = [path for path in WORKFLOWS if path.name.startswith("on-")]
ACTIONS = sorted([ROOT / "action.yml", *(ROOT / "actions").glob("*/action.yml")])
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def load(path: Path) -> dict[str, Any]:
    """A YAML file; YAML 1.1 reads the key ``on`` as true, which is put right."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else str(key): value for key, value in content.items()}


def name_of(path: Path) -> str:
    """A path as a test id."""
    return path.relative_to(ROOT).as_posix()


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow by id."""
    found: dict[str, dict[str, Any]] = load(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or a composite action."""
    content = load(path)
    for job in content.get("jobs", {}).values():
        yield from job.get("steps", [])
    yield from content.get("runs", {}).get("steps", [])


def expressions(value: object) -> list[str]:
    """Every ``${{ … }}`` below a value, and ``if:`` texts, which are expressions without the braces."""
    if isinstance(value, dict):
        bare = [str(item) for key, item in value.items() if key == "if"]
        return bare + [found for item in value.values() for found in expressions(item)]
    if isinstance(value, list):
        return [found for item in value for found in expressions(item)]
    return EXPRESSION.findall(value) if isinstance(value, str) else []
