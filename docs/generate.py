"""Writes the generated pages of ``docs/reference/`` from the code: ``python -m docs.generate``.  A test compares.

Each page is a function that returns Markdown; the same code gives the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from docs.codes import CODE_PAGES, MADE, codes, japanese_index
from docs.tools import tools
from mlops_core import errors
from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.cli.main import WORDS, build_parser, load
from mlops_core.cli.request import FLAGS
from mlops_core.contracts.base import Message
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.model import Manifest, ProductionPointer
from mlops_core.contracts.run import RunState
from mlops_core.contracts.stops import DATA_STOPPED, EVALUATION_STOPPED, GATE
from mlops_core.contracts.verdict import Policy
from mlops_core.explain.table import FAMILIES, TABLE, find
from mlops_core.intake.form import FIELDS, FormField
from mlops_core.intake.messages import HEADLINES, next_act
from mlops_core.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
_DOTS = "…"
Rows = list[tuple[object, ...]]


def cell(text: object) -> str:
    """Text inside a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(*head: str, rows: Rows) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(cell(item) for item in row)} |" for row in rows)]


def form() -> str:
    """The fields of the issue form."""
    lines = [
        "# The issue form",
        MADE,
        "The headings of an issue are the keys of the parser, English and Japanese in one. Order, line ends and a byte order mark",
        "do not matter; an unknown or doubled heading is refused. An empty optional field means its default.",
        "Filled forms: `examples/issues/`.",
        "Check one without starting anything: `mlops issue parse FILE --bucket BUCKET`. Each field is a flag of `mlops run` too.",
        "",
        *table("field", "heading", "flag", "required", "default", "allowed", "what it is", rows=[_field(item) for item in FIELDS]),
        "",
        "## Hyperparameters",
        "",
        "One `name = value` per line; plain decimal numbers or words. Without a value the default counts.",
    ]
    for name, entry in ENTRIES.items():
        lines += ["", f"### {name}", "", entry.title, ""]
        known = entry.hyperparameters.values()
        rows: Rows = [(f"`{item.name}`", item.default, item.allowed, item.help) for item in known]
        lines += table("name", "default", "allowed", "what it is", rows=rows)
    return "\n".join(lines) + "\n"


def _field(item: FormField) -> tuple[object, ...]:
    need = "yes" if item.required else "no"
    return f"`{item.name}`", item.label, f"`{FLAGS[item.name]}`", need, item.default, item.allowed, item.description


def exit_codes() -> str:
    """Exit codes and the error tree."""
    rows: Rows = [(0, "", "done", ""), (1, "", "an unexpected error: please report it", "no")]
    kinds = sorted(_leaves(errors.MlopsError), key=lambda item: item.exit_code)
    rows += [(kind.exit_code, f"`{kind.__name__}`", inspect.getdoc(kind), "yes" if kind.retryable else "no") for kind in kinds]
    rows.append((130, "", "interrupted; what the command started was stopped", "no"))
    lines = [
        "# Exit codes",
        MADE,
        'The class is also the error\'s name in the state machines and in logs. "again" says whether the same call may succeed later.',
        "`mlops run` ends with 0 for an accepted model, 4 for a refused or expired one, 7 for any other end; `mlops local status` with 9",
        "when the platform is not up and deployed.",
        "",
        *table("code", "class", "meaning", "again", rows=rows),
    ]
    return "\n".join(lines) + "\n"


def _leaves(kind: type[errors.MlopsError]) -> Iterator[type[errors.MlopsError]]:
    # What else is imported at the moment may have classes of its own below the tree's leaves.
    below = [item for item in kind.__subclasses__() if item.__module__ == errors.__name__]
    if not below:
        yield kind
    for item in below:
        yield from _leaves(item)


@dataclass(frozen=True)
class Raised:
    """One place that raises a coded error."""

    code: str
    kind: str
    headline: str
    remedy: str


def error_codes() -> str:
    """Stable codes of errors."""
    found: dict[str, Raised] = {}
    for path in sorted((ROOT / "mlops_core").rglob("*.py")):
        for item in _raised(ast.parse(path.read_text(encoding="utf-8"))):
            if item.code not in found or (item.headline and not found[item.code].headline):
                found[item.code] = item
    told = {code: (f"`{item.kind}`", item.headline, item.remedy) for code, item in found.items() if code not in HEADLINES}
    # Codes that no error carries: ends of refused runs, and what a service says of a program that is gone.
    rest = [code for code in TABLE if code.startswith("E-") and code not in {*told, *HEADLINES, *FAMILIES}]
    told |= {code: ("", TABLE[code].words["en"].means, TABLE[code].words["en"].act) for code in rest}
    rows: Rows = [(_linked(code), *words) for code, words in sorted(told.items())]
    parse: Rows = [(_linked(code), text["en"], next_act(code, "en")) for code, text in HEADLINES.items()]
    warnings: Rows = [(_linked(code), item.words["en"].means) for code, item in sorted(TABLE.items()) if code.startswith("W-")]
    lines = [
        "# Error codes",
        MADE,
        "A code stays what it is; the words around it may get better. `…` stands for the value at hand.",
        "Every code leads to what it means, why it matters and what to do; `mlops explain-error CODE` shows the same.",
        "Classes: [exit codes](exit-codes.md).",
        "",
        "## An issue that cannot be read",
        "",
        "All problems come at once, each with the field, the written value made harmless, the allowed values and the next act.",
        "",
        *table("code", "what is wrong", "next act", rows=parse),
        "",
        "## Everything else",
        "",
        f"{_linked('E-AWS')} and {_linked('E-GITHUB')} are followed by the code or status of the service that said no,",
        f"{_linked('E-JOB-FAILED')}, {_linked('E-JOB-STOPPED')}, {_linked('E-JOB-MAX-RUNTIME')} and",
        f"{_linked('E-JOB-INTERNAL-ERROR')} are the ends of jobs that left no code of their own.",
        f"{_linked(GATE)} (the quality gate), {_linked(DATA_STOPPED)} and {_linked(EVALUATION_STOPPED)}",
        f"(the policy's `stop_on`) end a run as refused, before any figure is weighed; so do {_linked('E-JUDGE-001')} and",
        f"{_linked('E-JUDGE-003')}, whose figure the data do not give.",
        "",
        *table("code", "class", "what it says", "next act", rows=rows),
        "",
        "## Warnings",
        "",
        "A warning stays with the model, in its comment, report and record; it stops nothing by itself.",
        "",
        *table("code", "what it means", rows=warnings),
    ]
    return "\n".join(lines) + "\n"


def _linked(code: str) -> str:
    found = find(code)
    return f"[`{code}`]({found.page()})" if found else f"`{code}`"


def _raised(tree: ast.AST) -> Iterator[Raised]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = sorted((item for item in ast.walk(function) if isinstance(item, ast.stmt | ast.Call)), key=lambda item: item.lineno)
            named: dict[str, ast.expr] = {}
            for item in inside:
                if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                    named[item.targets[0].id] = item.value
                if isinstance(item, ast.Call) and isinstance(item.func, ast.Name):
                    yield from _call(item, item.func.id, named)


def _call(call: ast.Call, kind: str, named: dict[str, ast.expr]) -> Iterator[Raised]:
    given = {item.arg: item.value for item in call.keywords if item.arg}
    code = given.get("code")
    if isinstance(code, ast.Constant) and isinstance(code.value, str) and code.value and isinstance(getattr(errors, kind, None), type):
        headline = _text(call.args[0], named) if call.args else ""
        yield Raised(code.value, kind, headline, _text(given["remedy"], named) if "remedy" in given else "")


def _text(node: ast.expr, named: dict[str, ast.expr]) -> str:
    """A message with its values as dots; "" when it is put together elsewhere."""
    if isinstance(node, ast.Name) and node.id in named:
        return _text(named[node.id], {})
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else _DOTS for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left, named) + _text(node.right, named)
    return ""


def commands() -> str:
    """The command line."""
    lines = ["# Commands", MADE, "`mlops COMMAND --help` shows the same. [Exit codes](exit-codes.md).", ""]
    parser = build_parser()
    words = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for word in WORDS:
        command = load(word)
        options = [action for action in words.choices[word]._actions if action.dest != "help"]
        lines += [f"## mlops {word}", "", command.HELP, ""]
        if options:
            lines += [*table("argument", "what it is", rows=[_argument(action) for action in options]), ""]
        lines += ["```sh", *(line.strip() for line in command.EXAMPLE.splitlines()), "```", ""]
    return "\n".join(lines[:-1]) + "\n"


def _argument(action: argparse.Action) -> tuple[object, ...]:
    choices = "|".join(map(str, action.choices)) if action.choices else ""
    value = "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
    place = value if choices or action.metavar else action.dest
    name = ", ".join(f"{option} {value}".strip() for option in action.option_strings) or place
    return f"`{name}`", (action.help or "") % {"default": action.default, "prog": "mlops"}


def settings() -> str:
    """Environment variables."""
    given = _given_by_templates()
    rows: Rows = [
        (f"`{variable(item.name)}`", f"`{item.default}`" if item.default else "", *given.get(variable(item.name), _BY_NOBODY))
        for item in fields(Settings)
    ]
    lines = [
        "# Settings",
        MADE,
        "Every setting is one environment variable, read in one place (`mlops_core/settings.py`). The templates set them on functions;",
        "in a shell set those that a command asks for. A missing one is named by `EnvironmentBroken`.",
        "",
        *table("variable", "default", "set by", "what it is", rows=rows),
        "",
        "## In a shell",
        "",
        *table(
            "variable",
            "what it is",
            rows=[
                ("`MLOPS_STATE`", "State folder of the local platform; otherwise one keyed by the clone below `~/.local/state/mlops`."),
                ("`AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE`, `AWS_PROFILE`, …", "The SDKs' own variables; the suite adds none for endpoints."),
                ("`GITHUB_TOKEN`", "A token for `mlops` commands on AWS, in place of the App's secret."),
                ("`SAGEMAKER_BASE_DIR`", "What stands for `/opt/ml` in a container program."),
                ("`MLOPS_ACTIONS_CACHE`", "Where the composite actions keep their environment on a runner."),
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


_BY_NOBODY = ("", "Set by AWS Lambda or in a shell.")


def _given_by_templates() -> dict[str, tuple[str, str]]:
    """Variable -> (template and parameter, description of the parameter)."""
    found: dict[str, tuple[str, str]] = {}
    for name in ("agents", "server"):
        text = (ROOT / "cloudformation" / f"{name}.yaml").read_text(encoding="utf-8")
        described = dict(re.findall(r"^  (\w+):\n(?:    .*\n)*?    Description: (.*)$", text.partition("\nResources:")[0], re.MULTILINE))
        for key, value in re.findall(r"^ +((?:MLOPS|GITHUB)_[A-Z_]+): (.+)$", text, re.MULTILINE):
            parameter = value.removeprefix("!Ref ")
            found[key] = (f"`{name}.yaml`", described.get(parameter, "Made by the template from its names."))
    return found


def policy() -> str:
    """The policy file's keys."""
    keys = Policy.model_fields.items()
    rows: Rows = [(f"`{name}`", f"`{_default(item.get_default(call_default_factory=True))}`", _POLICY[name]) for name, item in keys]
    example = (ROOT / "examples" / "caller" / ".github" / "mlops.yml").read_text(encoding="utf-8")
    lines = [
        "# The policy file",
        MADE,
        "`.github/mlops.yml` on the default branch of the caller's repository. How to use it: [policy](../how-to/policy.md).",
        "",
        *table("key", "default", "what it does", rows=rows),
        "",
        "```yaml",
        example.rstrip("\n"),
        "```",
    ]
    return "\n".join(lines) + "\n"


_POLICY = {
    "minimum": "A floor for each metric (for errors such as rmse a ceiling), besides the request's own threshold.",
    "champion_margin": "How much better than the champion a new model must be, in the metric's own unit; 0 or more.",
    "champion_interval": "Whether the pessimistic end of the new model's 95 % interval must beat the champion and the margin.",
    "beat_baseline": "Whether a model that does not beat the trivial baseline is refused.",
    "fairness": "Bounds between the groups of each protected attribute: ratios from below, differences from above; 0 to 1.",
    "fairness_action": "`report`: a bound that is broken is shown; `stop`: it stops the model.",
    "slice_minimum": "A floor for each metric (for errors a ceiling) on the worst slice.",
    "slice_rows": "Rows that a slice needs to be judged; 10 or more.",
    "retrain": 'Training without a person: `on_data` (true, false), `schedule` (`"rate(7 days)"`), `cool_down_hours`; off unless set.',
    "max_retrains": "The most rounds a request may ask for; 0 to 3. A request that asks for more is refused at the start.",
    "max_cost_usd": "The most a request may ask to spend, in US dollars (more is refused); jobs get only as much time as it buys.",
    "instance_types": "Instance types that requests may ask for; empty: every type of the form.",
    "data_suite": "`run` carries out the data's expectation suite with great-expectations on a sample; `write` only writes it.",
    "stop_on": "Warnings that stop a run, by code (`W-LEAK-001`) or family (`W-LEAK`); see the [codes](errors.md).",
}


def _default(value: object) -> str:
    if isinstance(value, Message):
        return ", ".join(f"{name}: {_default(getattr(value, name))}" for name in type(value).model_fields)
    if isinstance(value, dict) and value:
        return ", ".join(f"{name}: {item}" for name, item in value.items())
    return {"None": "none", "{}": "empty", "()": "empty", "": "empty", "True": "true", "False": "false"}.get(str(value), str(value))


def history() -> str:
    """The history record and its neighbours."""
    lines = [
        "# Files written into a repository",
        MADE,
        *table(
            "path",
            "what it is",
            rows=[
                ("`training_history/<model>/<run_id>.json`", "the record of a closed run, canonical JSON; its fields below"),
                ("`training_history/<model>/<run_id>.md`", "the same for people"),
                ("`training_history/<model>/<run_id>/`", "plots and the report of the last look"),
                ("`training_history/<model>/index.json`, `README.md`", "the list of records, rebuilt with each one, never edited"),
                ("`mlops/models/<model>/production.json`", "the production pointer: what serves"),
            ],
        ),
        "",
        "Every record carries the digest of the one before, so a changed, missing or foreign one is found.",
        "`mlops history list` checks the chain.",
    ]
    for kind, title in ((HistoryRecord, "Record"), (RunState, "Run"), (Manifest, "Manifest"), (ProductionPointer, "Pointer")):
        lines += ["", f"## {title}", "", *table("field", "type", "default", rows=_members(kind))]
    return "\n".join(lines) + "\n"


def _members(kind: type[Message]) -> Rows:
    written = [item for item in ast.walk(ast.parse(inspect.getsource(kind))) if isinstance(item, ast.AnnAssign)]
    types = {item.target.id: _type(item.annotation) for item in written if isinstance(item.target, ast.Name)}
    return [
        (f"`{name}`", types[name], "required" if item.is_required() else f"`{_short(item.get_default(call_default_factory=True))}`")
        for name, item in kind.model_fields.items()
    ]


def _type(annotation: ast.expr) -> str:
    """A type as the contract spells it, without the limits of an `Annotated`."""
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple) and ast.unparse(annotation.value) == "Annotated":
        return _type(annotation.slice.elts[0])
    return ast.unparse(annotation)


def _short(value: object) -> str:
    text = _default(value)
    return text if len(text) <= 40 else "one row each phase"


PAGES: dict[str, Callable[[], str]] = {
    "form": form,
    "errors": error_codes,
    "commands": commands,
    "exit-codes": exit_codes,
    "history": history,
    "settings": settings,
    "policy": policy,
    "tools": tools,
    **{name: partial(codes, name) for name in CODE_PAGES},
    "codes/ja/index": japanese_index,
}


def page_text(name: str) -> str:
    """One page as it is written to its file."""
    return PAGES[name]().replace(f"{MADE}\n", f"\n{MADE}\n\n")


def main() -> None:
    """Write every page that changed."""
    for name in PAGES:
        target = REFERENCE / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != page_text(name):
            target.write_text(page_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
