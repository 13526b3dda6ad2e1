"""Hyperparameters as people write them: one ``name = value`` (or ``name: value``) per line, or ``key=value`` words of a command.

    read_lines("max_depth = 8\\nlearning_rate: 0.05", "xgboost")    # -> ({"max_depth": 8, "learning_rate": 0.05}, [])

There is no loader behind it: a value is a plain decimal or one of the method's own words, so anchors, tags, nesting and octal numbers
have nothing to act on.  With ``auto`` a name must be known to every tree method, and the value allowed by each: a request that names one is
learnt by trees.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from mlops_core.algorithms.catalogue import ENTRIES, TREES, Hyperparameter, suggest
from mlops_core.contracts.request import TASK_METRICS, Scalar, TrainingRequest
from mlops_core.errors import InvalidRequest
from mlops_core.intake.problems import Problem

MAX_HYPERPARAMETERS = 100
_LINE = re.compile(r"([A-Za-z0-9_.-]{1,80})[ \t]*[=:][ \t]*(\S{1,200})\Z")


def _methods(algorithm: str) -> list[str]:
    return [algorithm] if algorithm in ENTRIES else list(TREES)


def read_lines(text: str, algorithm: str) -> tuple[dict[str, Scalar], list[Problem]]:
    """The typed values and every problem; ``algorithm`` may be ``auto``."""
    lines = [line.strip(" \t") for line in text.split("\n") if line.strip(" \t")]
    if len(lines) > MAX_HYPERPARAMETERS:
        return {}, [Problem("E-PARSE-024", "hyperparameters", value=str(len(lines)), allowed=f"≤ {MAX_HYPERPARAMETERS}")]
    values: dict[str, Scalar] = {}
    problems: list[Problem] = []
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            problems.append(Problem("E-PARSE-022", "hyperparameters", value=line, allowed="name = value"))
        elif match[1] in values:
            problems.append(Problem("E-PARSE-023", "hyperparameters", value=line))
        else:
            value = read_one(match[1], match[2], algorithm)
            if isinstance(value, Problem):
                problems.append(value)
            else:
                values[match[1]] = value
    return values, problems


def read_one(name: str, text: str, algorithm: str) -> Scalar | Problem:
    """One typed value; with ``auto`` every offered method must know the name and allow the value."""
    tables = [ENTRIES[method].hyperparameters for method in _methods(algorithm)]
    known = [table[name] for table in tables if name in table]
    if len(known) < len(tables):
        return _unknown(name, algorithm, elsewhere=bool(known))
    try:
        return [parameter.check(text) for parameter in known][-1]
    except InvalidRequest:
        allowed: dict[str, list[str]] = {}
        for method, parameter in zip(_methods(algorithm), known, strict=True):
            allowed.setdefault(_range(parameter), []).append(method)
        listed = [f"{found} ({', '.join(methods)})" if len(allowed) > 1 else found for found, methods in allowed.items()]
        return Problem("E-PARSE-020", "hyperparameters", value=f"{name} = {text}", allowed=f"{name}: {'; '.join(listed)}")


def useless(task: str, values: Mapping[str, Scalar]) -> Problem | None:
    """The first hyperparameter that the task has no use for, such as ``class_weight`` of a regression."""
    for name, value in values.items():
        known = next((entry.hyperparameters[name] for entry in ENTRIES.values() if name in entry.hyperparameters), None)
        if known is not None and not known.serves(task, value):
            return Problem("E-PARSE-020", "hyperparameters", value=f"{name} = {value}", allowed=f"{task}: {name} = {known.default}")
    return None


def check_method(request: TrainingRequest) -> None:
    """`InvalidRequest` for a metric, a method or a hyperparameter that does not do the task: what a form would refuse, however it came."""
    method, task = ENTRIES.get(request.algorithm), request.task
    if method is not None and task not in method.tasks:
        raise InvalidRequest(f"{request.algorithm} does not do {task}; it does {', '.join(method.tasks)}.", code="E-PARSE-006")
    if request.metric not in TASK_METRICS[task]:
        raise InvalidRequest(
            f"{request.metric} does not measure {task}; choose one of {', '.join(TASK_METRICS[task])}.", code="E-PARSE-025"
        )
    able = [request.algorithm] if method is not None else [name for name, item in ENTRIES.items() if task in item.tasks]
    wrong = [_wrong(name, task, request.hyperparameters) for name in able]
    if all(wrong):
        raise InvalidRequest(wrong[0][0].text("en"), code=wrong[0][0].code)


def _wrong(method: str, task: str, values: Mapping[str, Scalar]) -> list[Problem]:
    found = [*(read_one(name, plain(value), method) for name, value in values.items()), useless(task, values)]
    return [item for item in found if isinstance(item, Problem)]


def _unknown(name: str, algorithm: str, *, elsewhere: bool) -> Problem:
    common = set.intersection(*(set(ENTRIES[method].hyperparameters) for method in _methods(algorithm)))
    allowed = ", ".join(key for key in ENTRIES[_methods(algorithm)[0]].hyperparameters if key in common)
    if elsewhere:
        owner = next(method for method in ENTRIES if name in ENTRIES[method].hyperparameters)
        return Problem("E-PARSE-021", "hyperparameters", value=name, allowed=f"{algorithm}: {allowed}", hint=f"algorithm {owner}")
    near = suggest(algorithm, name[:40]) if algorithm in ENTRIES else difflib.get_close_matches(name[:40], sorted(common), n=3, cutoff=0.5)
    return Problem("E-PARSE-021", "hyperparameters", value=name, allowed=f"{algorithm}: {allowed}", hint=", ".join(near))


def _range(parameter: Hyperparameter) -> str:
    if parameter.kind == "choice":
        return ", ".join(parameter.choices)
    return f"{parameter.low:g} – {parameter.high:g}{' (int)' if parameter.kind == 'int' else ''}"


def plain(value: Scalar) -> str:
    """A value as the plain decimal or word that reads back to the same value."""
    if not isinstance(value, float):
        return str(value)
    text = repr(value).replace("e+", "e").removesuffix(".0")
    fraction = text.split("e")[0].partition(".")[2]
    return text if len(fraction) <= 18 else f"{value:.16e}".replace("e+", "e")
