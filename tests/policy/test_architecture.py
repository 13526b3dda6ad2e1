"""Who may import whom, how large things get, and one word for the parts of a capability.

What agents, capabilities and the server may see of each other is in `tests/policy/test_capabilities.py`.
"""

from __future__ import annotations

import ast
import functools
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mlops_core.platform.archives import NEVER

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "mlops_core"
CODE = ("mlops_core", "tests", "docs", "benchmarks", "actions", "examples")
Graph = Mapping[str, frozenset[str]]

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    station: frozenset(others.split())
    for station, others in {
        "contracts": "",
        "errors": "",
        "journal": "",
        "settings": "errors",
        "facts": "contracts errors",
        "ports": "contracts facts settings",
        "tool": "contracts errors ports",
        "algorithms": "contracts errors features",
        "features": "contracts errors",
        "evaluation": "contracts errors",
        "explain": "errors intake",
        "judging": "contracts errors",
        "unpacking": "",
        "intake": "algorithms contracts errors facts",
        "reporting": "algorithms contracts errors explain judging",
        "runs": "algorithms contracts errors facts intake journal ports reporting tool unpacking",
        "capabilities": "algorithms contracts errors explain facts intake journal ports reporting runs tool",
        "adapters": "contracts errors facts journal ports settings",
        "mcp_server": "adapters capabilities contracts errors journal ports runs settings tool",
        "agents": "contracts errors facts intake journal judging mcp_server reporting settings",
        "entrypoints": "adapters capabilities contracts errors facts intake ports reporting runs settings",
        "jobs": "algorithms contracts errors evaluation features journal reporting unpacking",
        "serving": "contracts errors features",
        "platform": "errors",
        "local": "errors",
    }.items()
}
"""Station -> the stations it may know; the command line may know all of them."""

ONLY_IN = {
    "boto3": {"adapters"},
    "botocore": {"adapters", "local"},
    "github": {"adapters"},
    "requests": {"adapters"},
    "actions_toolkit": {"entrypoints"},
    "ministack": {"local"},
    "mcp": {"mcp_server"},
    "xgboost": {"algorithms"},
    "sklearn": {"algorithms"},
    "matplotlib": {"reporting"},
}
"""Package of others -> the stations that may import it."""

HEAVY = {"numpy", "pandas", "sklearn", "xgboost", "duckdb", "pyarrow", "onnx", "onnxruntime", "matplotlib", "sagemaker", "torch", "scipy"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base_utils", "stuff"}
IMPORT_BUDGET_SECONDS = 0.35


@functools.cache
def modules() -> Mapping[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imported(node: ast.AST) -> Iterator[str]:
    """Modules that are imported at a node or below, inside functions too; what only a type checker sees does not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            inner = [f"{child.module}.{name.name}" for name in child.names]
            yield from (name if name in modules() else child.module for name in inner)
        yield from imported(child)


@functools.cache
def graph() -> Graph:
    """Module -> what it imports."""
    return {name: frozenset(imported(ast.parse(path.read_text(encoding="utf-8")))) for name, path in modules().items()}


def station(module: str) -> str:
    """The folder or file directly below the package."""
    return module.split(".")[1] if "." in module else module


def test_every_station_is_in_the_table() -> None:
    there = {station(name) for name in modules()} - {PACKAGE, "cli"}
    assert there == set(MAY_IMPORT)


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_imports_point_one_way(name: str) -> None:
    against = {
        f"{module} -> {other}"
        for module, others in graph().items()
        if station(module) == name
        for other in others
        if other.startswith(f"{PACKAGE}.") and station(other) not in MAY_IMPORT[name] | {name}
    }
    assert against == set()


def test_agents_know_the_texts_for_people_and_no_other_part_of_reporting() -> None:
    others = {other for module, known in graph().items() if station(module) == "agents" for other in known if station(other) == "reporting"}
    assert {name for name in others if not name.startswith(f"{PACKAGE}.reporting.messages")} == set()


def test_the_table_itself_points_one_way() -> None:
    assert cycles(MAY_IMPORT) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    ours = {name: frozenset(other for other in others if other in modules() and other != name) for name, others in graph().items()}
    assert cycles(ours) == []


def cycles(edges: Graph) -> list[str]:
    """Nodes that are left when those without outgoing edges are taken away again and again."""
    left = {name: set(others) & set(edges) for name, others in edges.items()}
    while ended := {name for name, others in left.items() if not others}:
        left = {name: others - ended for name, others in left.items() if name not in ended}
    return sorted(left)


@pytest.mark.parametrize("name", sorted(ONLY_IN))
def test_a_foreign_package_is_known_to_its_stations_only(name: str) -> None:
    users = {module for module, others in graph().items() if any(other.split(".")[0] == name for other in others)}
    assert {module for module in users if station(module) not in ONLY_IN[name]} == set()


def test_only_the_command_line_imports_the_local_platform() -> None:
    users = {module for module, others in graph().items() if any(other.startswith(f"{PACKAGE}.local") for other in others)}
    assert {module for module in users if station(module) not in {"cli", "local"}} == set()


@pytest.mark.parametrize("archive", sorted(NEVER))
def test_nothing_that_a_lambda_can_reach_imports_a_heavy_package(archive: str) -> None:
    """From the handlers on, through imports inside functions too; drawing plots is reached by no handler."""
    roots = {name for name in modules() if station(name) == "agents"} if archive == "agent" else {f"{PACKAGE}.mcp_server.main"}
    if archive == "server":
        roots |= {name for name in modules() if station(name) == "capabilities"}
    reached = reachable(roots)
    heavy = {f"{module} -> {other}" for module in reached for other in graph()[module] if other.split(".")[0] in HEAVY}
    assert heavy == set()
    missing = {module for module in reached if station(module) in NEVER[archive]}
    assert missing == set(), "the archive leaves these out"


def reachable(roots: set[str]) -> set[str]:
    """Modules that are imported from the roots on."""
    seen: set[str] = set()
    todo = set(roots)
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= {other for other in graph()[name] if other in modules()} - seen
    return seen


def test_an_agent_loads_no_heavy_package_and_says_how_long_it_took(record_property: Callable[[str, object], None]) -> None:
    """The figure is printed and recorded, not asserted: a busy machine is no defect."""
    banned = sorted(HEAVY | {"mcp", "boto3", "botocore", "github", "jinja2"})
    program = (
        "import sys, time; t = time.perf_counter(); import mlops_core.agents.training;"
        f"print(time.perf_counter() - t); print([m for m in {banned!r} if m in sys.modules])"
    )
    seconds = []
    for _ in range(3):
        said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
        seconds.append(float(said[0]))
        assert said[1] == "[]"
    median = statistics.median(seconds)
    record_property("agent import seconds", median)
    print(f"agent import: {median:.3f} s (budget {IMPORT_BUDGET_SECONDS} s)")


@functools.cache
def sources() -> tuple[Path, ...]:
    """Every Python file of the repository."""
    return tuple(path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts)


@functools.cache
def function_lines() -> Mapping[str, int]:
    """Lines of every function."""
    found = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = (node.end_lineno or node.lineno) - node.lineno + 1
    return found


def share(values: list[int], part: float) -> int:
    """The value that a part of all values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def test_files_stay_readable(record_property: Callable[[str, object], None]) -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    ninety = share(list(lines.values()), 0.9)
    record_property("file lines p90", ninety)
    print(f"files: {len(lines)}, p90 {ninety} lines, longest {sorted(lines.items(), key=lambda item: -item[1])[:3]}")
    assert ninety <= 400
    assert [name for name, count in lines.items() if count > 400 and name.startswith(PACKAGE)] == []


def test_functions_stay_readable(record_property: Callable[[str, object], None]) -> None:
    lines = function_lines()
    figures = {part: share(list(lines.values()), part) for part in (0.5, 0.9)}
    record_property("function lines p50 p90", str(figures))
    print(f"functions: {len(lines)}, p50 {figures[0.5]}, p90 {figures[0.9]}, longest {max(lines.values())} lines")
    assert figures[0.5] <= 12
    assert figures[0.9] <= 35
    assert [name for name, count in lines.items() if count > 60] == []


def test_a_module_says_what_it_is_by_its_name_and_its_first_line() -> None:
    assert [str(path) for path in sources() if path.stem in VAGUE or path.parent.name in VAGUE] == []
    texts = {str(path): path.read_text(encoding="utf-8") for path in sources() if path.is_relative_to(ROOT / PACKAGE)}
    assert [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []


JOBS = ("data", "training", "evaluation", "packaging")
AGENTS = ("issue", "judge", *JOBS, "deployment", "monitoring", "retraining", "notification", "history")
CAPABILITIES = ("optimization", *(word for word in AGENTS if word != "judge"))
WRAPPERS = {
    "agents": {"handler", "following", "stopping"},
    "capabilities": set[str](),
    "jobs": {
        "archive",
        "champion",
        "contract",
        "data_checks",
        "main",
        "outliers",
        "own_image",
        "pins",
        "quality",
        "reading",
        "shifts",
        "suite",
        "traps",
    },
}


def test_names_rhyme() -> None:
    """A word's parts: agent, capability, job, function, alias and alarm; a new one is missing here until it is whole."""
    for folder, words in {"agents": AGENTS, "capabilities": CAPABILITIES, "jobs": JOBS}.items():
        there = {path.stem for path in (ROOT / PACKAGE / folder).glob("*.py")} - {"__init__"} - WRAPPERS[folder]
        assert there == set(words), folder
    assert len(AGENTS) == len(CAPABILITIES) == 11
    assert each("agents") | {"judge"} == set(AGENTS)
    assert each("server") == set(AGENTS) - {"judge"}
    assert each("alarms") == set(AGENTS)


def each(template: str) -> set[str]:
    """The words that a template makes its resources for."""
    text = (ROOT / "cloudformation" / f"{template}.yaml").read_text(encoding="utf-8")
    lists = [set(found.replace(" ", "").split(",")) for found in re.findall(r"^ +- \[([a-z, ]+)\]$", text, re.MULTILINE)]
    assert len(lists) == 1, template
    return lists[0]


def test_unit_tests_mirror_the_package() -> None:
    folders = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    mirrored = {path.name for path in (ROOT / PACKAGE).iterdir() if path.is_dir()}
    assert folders <= mirrored | {"stepfunctions"}
