"""What a Lambda's code names is in its archive: imports at the top and inside functions, followed to their end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlops_core
from mlops_core.platform.archives import NEVER, Name

ROOT = Path(mlops_core.__file__).parent
ENTRIES: dict[Name, tuple[str, ...]] = {"agent": ("agents/*.py",), "server": ("mcp_server/main.py", "capabilities/*.py")}


def path_of(module: str) -> Path | None:
    """The file of a module of ours."""
    if module.split(".", maxsplit=1)[0] != "mlops_core":
        return None
    place = ROOT.joinpath(*module.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def imported(node: ast.AST) -> Iterator[str]:
    """Modules that run when code runs: what only a type checker reads is left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (item.name for item in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{item.name}" for item in child.names)
        else:
            yield from imported(child)


def reached(name: Name) -> set[Path]:
    """Every file that the entries of an archive lead to."""
    seen: set[Path] = set()
    waiting = [path for pattern in ENTRIES[name] for path in ROOT.glob(pattern)]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [found for module in imported(ast.parse(path.read_text(encoding="utf-8"))) if (found := path_of(module))]
    return seen


@pytest.mark.parametrize("name", ["agent", "server"])
def test_a_lambda_finds_every_module_that_it_names(name: Name) -> None:
    found = reached(name)
    assert len(found) > 30
    assert sorted(path.relative_to(ROOT).as_posix() for path in found if path.relative_to(ROOT).parts[0] in NEVER[name]) == []
