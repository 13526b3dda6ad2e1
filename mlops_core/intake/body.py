"""The strict parser of issue bodies: text of the form in, one `TrainingRequest` or every problem at once out.

    parsed = parse_body(event.body, bucket="my-bucket")
    parsed.request, parsed.body_digest          # digest over the body's bytes as approved

`RequestRefused` carries a `Problem` per thing wrong.  The size is checked before anything is read; the grammar is in `sections`.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.contracts.base import Digest
from mlops_core.contracts.request import (
    DEFAULT_METRIC,
    TASK_METRICS,
    Derived,
    Language,
    TrainingRequest,
    range_of,
)
from mlops_core.errors import Defect
from mlops_core.intake.characters import offence
from mlops_core.intake.form import FIELDS, by_label, by_name
from mlops_core.intake.hyperparameters import read_lines, useless
from mlops_core.intake.problems import Problem, RequestRefused
from mlops_core.intake.sections import MAX_LINES, MAX_SECTIONS, Section, Sections, split_sections
from mlops_core.intake.values import EMPTY, read

MAX_BODY_BYTES = 65_536
MAX_PROBLEMS = 50


@dataclass(frozen=True)
class ParsedRequest:
    """A request and the SHA-256 of the body it was read from."""

    request: TrainingRequest
    body_digest: Digest


def body_digest(body: str) -> Digest:
    """SHA-256 over the body's UTF-8 bytes exactly as the event carries them."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def parse_body(body: str | None, *, bucket: str) -> ParsedRequest:
    """Read an issue body; datasets are accepted below ``s3://<bucket>/datasets/`` only.  Raises `RequestRefused`."""
    text = body or ""
    if len(text) > MAX_BODY_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise RequestRefused([Problem("E-PARSE-001", value=f"{len(text)} characters", allowed=f"≤ {MAX_BODY_BYTES} bytes")])
    found = split_sections(text)
    if not found.sections:
        required = ", ".join(field.english for field in FIELDS if field.required)
        raise RequestRefused([Problem("E-PARSE-031", allowed=required), *_structure(found)])
    problems = _structure(found)
    written = _collect(found, problems)
    values = _read_fields(written, problems, bucket)
    language = _language(values)
    problems += _contradictions(values)
    if problems:
        raise RequestRefused(_bounded(problems), language=language)
    return ParsedRequest(request=_request(values), body_digest=body_digest(text))


def _structure(found: Sections) -> list[Problem]:
    problems = []
    if found.preamble.text:
        problems.append(Problem("E-PARSE-005", value=found.preamble.text, line=1))
    if found.unclosed:
        problems.append(Problem("E-PARSE-030", line=found.unclosed))
    if found.overflow:
        problems.append(Problem("E-PARSE-024", line=found.overflow, allowed=f"≤ {MAX_SECTIONS} × ###, ≤ {MAX_LINES} × \\n"))
    return problems


def _collect(found: Sections, problems: list[Problem]) -> dict[str, str]:
    """Field name to text; unknown, doubled and marked-up sections become problems."""
    written: dict[str, str] = {}
    for section in found.sections:
        field = by_label(section.heading)
        if field is None:
            problems.append(_unknown_heading(section))
        elif field.name in written:
            problems.append(Problem("E-PARSE-004", field.name, line=section.line))
        else:
            written[field.name] = section.text
            if section.markup:
                problems.append(Problem("E-PARSE-012", field.name, value=section.text, line=section.line))
                written[field.name] = "\0"
    return written


def _unknown_heading(section: Section) -> Problem:
    near = difflib.get_close_matches(section.heading[:80], [field.label for field in FIELDS], n=1, cutoff=0.5)
    return Problem("E-PARSE-003", value=section.heading, hint="".join(near), line=section.line)


def _read_fields(written: dict[str, str], problems: list[Problem], bucket: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in FIELDS:
        text = written.get(field.name, "")
        if text == "\0":
            continue
        if text in EMPTY:
            if field.required:
                problems.append(Problem("E-PARSE-002", field.name, allowed=field.allowed))
            continue
        if field.kind == "hyperparameters":
            values[field.name] = _read_hyperparameters(text, str(values.get("algorithm", "auto")), problems)
            continue
        value = read(field, text, bucket=bucket)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            values[field.name] = value
    return values


def _read_hyperparameters(text: str, algorithm: str, problems: list[Problem]) -> object:
    bad = offence(text.replace("\n", " ").replace("\t", " "), ascii_only=True)
    if bad:
        problems.append(Problem("E-PARSE-008", "hyperparameters", value=text, character=bad))
        return {}
    values, wrong = read_lines(text, algorithm)
    problems.extend(wrong)
    return values


def _language(values: dict[str, object]) -> Language | None:
    language = values.get("language")
    return "ja" if language == "ja" else "en" if language == "en" else None


def _contradictions(values: dict[str, object]) -> list[Problem]:
    """What is wrong between fields that are each right."""
    rules: tuple[Callable[[dict[str, object]], Problem | None], ...] = (
        _metric_fits,
        _threshold_fits,
        _algorithm_fits,
        _hyperparameters_fit,
        _label_fits,
        _target_stays,
        _test_differs,
        *_SPLIT_RULES,
    )
    return [problem for problem in (rule(values) for rule in rules) if problem is not None]


def _metric_fits(values: dict[str, object]) -> Problem | None:
    metric, task = values.get("metric", "auto"), values.get("task")
    allowed = next((names for name, names in TASK_METRICS.items() if name == task), ())
    if task is None or metric == "auto" or metric in allowed:
        return None
    return Problem("E-PARSE-025", "metric", value=str(metric), allowed=f"{task}: {', '.join(allowed)}")


def _threshold_fits(values: dict[str, object]) -> Problem | None:
    threshold, metric = values.get("threshold"), _metric(values)
    if not isinstance(threshold, float) or metric is None:
        return None
    low, high = range_of(metric)
    if low <= threshold <= high:
        return None
    return Problem("E-PARSE-013", "threshold", value=f"{threshold:g}", allowed=f"{metric}: {low:g} – {high:g}")


def _metric(values: dict[str, object]) -> str | None:
    metric, task = values.get("metric", "auto"), values.get("task")
    if metric != "auto":
        return str(metric)
    return next((name for key, name in DEFAULT_METRIC.items() if key == task), None)


def _algorithm_fits(values: dict[str, object]) -> Problem | None:
    algorithm, task = str(values.get("algorithm", "auto")), values.get("task")
    if task is None or algorithm not in ENTRIES or task in ENTRIES[algorithm].tasks:
        return None
    allowed = ", ".join(name for name, entry in ENTRIES.items() if task in entry.tasks)
    return Problem("E-PARSE-006", "algorithm", value=algorithm, allowed=allowed)


def _hyperparameters_fit(values: dict[str, object]) -> Problem | None:
    task, given = values.get("task"), values.get("hyperparameters")
    return useless(str(task), given) if task is not None and isinstance(given, dict) else None


def _label_fits(values: dict[str, object]) -> Problem | None:
    label, task = values.get("positive_label"), values.get("task")
    return Problem("E-PARSE-026", "positive_label", value=str(label)) if label is not None and task not in {None, "binary"} else None


def _target_stays(values: dict[str, object]) -> Problem | None:
    dropped, target = values.get("drop_columns", ()), values.get("target")
    return Problem("E-PARSE-027", "drop_columns", value=str(target)) if isinstance(dropped, tuple) and target in dropped else None


def _test_differs(values: dict[str, object]) -> Problem | None:
    test = values.get("test_dataset")
    return Problem("E-PARSE-028", "test_dataset", value=str(test)) if test is not None and test == values.get("dataset") else None


def _only_with(field: str, choice: str, wanted: str, default: object = None) -> Callable[[dict[str, object]], Problem | None]:
    """A rule: the field may be filled only where the choice has the wanted value."""

    def rule(values: dict[str, object]) -> Problem | None:
        given = values.get(field, default)
        if given == default or values.get(choice) == wanted:
            return None
        return Problem("E-PARSE-033", field, value=str(given), allowed=f"{by_name(choice).english}: {wanted}")

    return rule


def _nothing_to_hold_back(values: dict[str, object]) -> Problem | None:
    share, default = values.get("test_share"), by_name("test_share").default
    if share is None or share == float(default) or values.get("test_dataset") is None:
        return None
    return Problem("E-PARSE-033", "test_share", value=f"{share}", allowed=f"{by_name('test_dataset').english}: –")


def _group_named(values: dict[str, object]) -> Problem | None:
    if values.get("split") != "group" or values.get("group_column"):
        return None
    return Problem("E-PARSE-002", "group_column", allowed=by_name("group_column").allowed)


def _target_not_used(values: dict[str, object]) -> Problem | None:
    """The target is no feature, no group and no clock of itself."""
    target, derived = values.get("target"), values.get("derived", ())
    if target is None:
        return None
    for name in ("group_column", "time_column"):
        if values.get(name) == target:
            return Problem("E-PARSE-034", name, value=str(target))
    sides = [side for one in derived if isinstance(one, Derived) for side in (one.left, one.right)] if isinstance(derived, tuple) else []
    return Problem("E-PARSE-034", "derived", value=str(target)) if target in sides else None


_SPLIT_RULES = (
    _only_with("split_gap", "split", "time", 0),
    _only_with("group_column", "split", "group"),
    _only_with("keep_features", "selection", "importance"),
    _only_with("rare_classes", "task", "multiclass", "keep"),
    _nothing_to_hold_back,
    _group_named,
    _target_not_used,
)


def _bounded(problems: list[Problem]) -> list[Problem]:
    if len(problems) <= MAX_PROBLEMS:
        return problems
    return [*problems[:MAX_PROBLEMS], Problem("E-PARSE-029", value=f"+{len(problems) - MAX_PROBLEMS}")]


def _request(values: dict[str, object]) -> TrainingRequest:
    try:
        return TrainingRequest.model_validate({**values, "metric": _metric(values)})
    except ValidationError as error:
        places = ", ".join(str(part["loc"][0]) for part in error.errors())
        raise Defect(f"the parser accepted what the contract refuses: {places}.", remedy="Report it with the issue.") from error
