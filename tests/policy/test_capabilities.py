"""Rules of the stations around the MCP server: who imports whom, and one word per capability."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_core.mcp_server.offers import OFFERS, WORDS

ROOT = Path(__file__).resolve().parents[2] / "mlops_core"
HEAVY = {"sklearn", "xgboost", "numpy", "pandas", "duckdb", "sagemaker", "torch", "pyarrow", "matplotlib"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, at any depth."""
    found = set()
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            found |= {name.name for name in item.names}
        elif isinstance(item, ast.ImportFrom) and item.module:
            found |= {item.module} | {f"{item.module}.{name.name}" for name in item.names}
    return found


def files(*folders: str) -> list[Path]:
    """Python files below folders of the package."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", files("capabilities"), ids=lambda path: path.stem)
def test_no_capability_imports_another(path: Path) -> None:
    others = {name for name in imports(path) if name.startswith("mlops_core.capabilities")}
    assert not others


def test_capabilities_and_words_are_the_same_eleven() -> None:
    assert {path.stem for path in files("capabilities")} - {"__init__"} == set(WORDS)
    assert len(WORDS) == 11


def test_every_alias_is_an_agents_word_and_every_capability_is_offered() -> None:
    agents = {path.stem for path in files("agents")}
    assert set(OFFERS) <= agents
    assert {word for words in OFFERS.values() for word in words} == set(WORDS)


@pytest.mark.parametrize("path", files("capabilities", "runs", "mcp_server"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_server_side_knows_ports_and_not_vendors(path: Path) -> None:
    vendors = {name.partition(".")[0] for name in imports(path)} & {"boto3", "botocore", "github", "actions_toolkit", "requests"}
    assert not vendors
    adapters = {name for name in imports(path) if name.startswith("mlops_core.adapters")}
    assert not adapters or path.name in {"main.py", "client.py", "http.py"}


@pytest.mark.parametrize("path", files("agents"), ids=lambda path: path.stem)
def test_agents_see_the_server_only_through_its_client(path: Path) -> None:
    beyond = ("mlops_core.capabilities", "mlops_core.adapters", "mlops_core.runs", "mlops_core.ports")
    assert not {name for name in imports(path) if name.startswith(beyond)}
    server = {name for name in imports(path) if name.startswith("mlops_core.mcp_server")}
    assert all(name.startswith("mlops_core.mcp_server.client") for name in server)


def test_the_whole_server_loads_no_learning_library() -> None:
    names = ", ".join(f"mlops_core.capabilities.{word}" for word in WORDS)
    script = f"import sys, mlops_core.mcp_server.main, mlops_core.adapters.assemble, {names}; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
