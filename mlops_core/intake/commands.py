"""Operators' comments as commands: `/retrain max_depth=8 n_estimators=300`.

    parse_command("/retrain max_depth=8", algorithm="xgboost")     # -> Command("retrain", {"max_depth": 8})
    parse_command("> /retrain max_depth=8")                        # -> None: a quote is no command

Only the first line of a comment counts, and only one command per comment: a second one anywhere outside fences and quotes refuses the
whole comment.  Without ``algorithm`` a parameter is typed by the first method that knows it and allows the value; the capability that
answers checks again against the algorithm of the run.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from mlops_core.algorithms.catalogue import ENTRIES, suggest
from mlops_core.contracts.request import Scalar
from mlops_core.errors import InvalidRequest, Unsupported
from mlops_core.intake.characters import offence, shown
from mlops_core.intake.hyperparameters import read_one
from mlops_core.intake.problems import Problem

COMMANDS: dict[str, str] = {"retrain": "/retrain name=value … : train again with changed hyperparameters"}
LATER = frozenset({"promote", "rollback", "stop", "keep"})
MAX_COMMENT_BYTES = 65_536
MAX_LINE_CHARACTERS = 1000
MAX_OPTIONS = 20
_WORD = re.compile(r"/([A-Za-z][A-Za-z0-9-]{0,39})(?:[ \t]|\Z)")
_OPTION = re.compile(r"([A-Za-z0-9_.-]{1,80})=(\S{1,200})\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Command:
    """One command with typed parameters."""

    name: str
    parameters: dict[str, Scalar] = field(default_factory=dict)


def parse_command(comment: str, *, algorithm: str | None = None) -> Command | None:
    """The command of a comment, None when it is ordinary talk; `InvalidRequest` or `Unsupported` (``E-COMMAND-NNN``) when it is wrong."""
    if len(comment) > MAX_COMMENT_BYTES:
        return None
    lines = comment.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    first = lines[0].rstrip(" \t")
    word = _WORD.match(first)
    if word is None or not _is_ours(word[1]):
        return None
    others = [match[1] for match in map(_WORD.match, _spoken(lines[1:])) if match and _is_ours(match[1])]
    if others:
        raise InvalidRequest("a comment may hold one command.", remedy="Write one comment per command.", code="E-COMMAND-002")
    name = word[1]
    if name not in COMMANDS:
        raise _unknown(name)
    if len(first) > MAX_LINE_CHARACTERS:
        headline = f"the command is longer than {MAX_LINE_CHARACTERS} characters."
        raise InvalidRequest(headline, remedy="Shorten it and comment again.", code="E-COMMAND-003")
    bad = offence(first, ascii_only=True)
    if bad:
        headline = f"the command holds the character {bad}; only plain ASCII is allowed."
        raise InvalidRequest(headline, remedy="Type it again and comment anew.", code="E-COMMAND-004")
    return Command(name, _options(first.split()[1:], algorithm))


def _is_ours(word: str) -> bool:
    """Known, planned or nearly so: other bots' commands in the same thread are none of our business."""
    names = [*COMMANDS, *LATER]
    return word in names or bool(difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.75))


def _unknown(name: str) -> InvalidRequest | Unsupported:
    offered = ", ".join(f"/{command}" for command in COMMANDS)
    if name in LATER:
        return Unsupported(f"/{name} is planned and not offered yet; offered: {offered}.", code="E-COMMAND-005")
    near = difflib.get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return InvalidRequest(f"/{shown(name)} is not a command; offered: {offered}.{hint}", remedy="Comment again.", code="E-COMMAND-001")


def _spoken(lines: list[str]) -> list[str]:
    """The lines outside code fences and quotes."""
    spoken, fence = [], ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            closes = mark is not None and mark[1].startswith(fence) and not line.strip(" `~\t")
            fence = "" if closes else fence
        elif mark:
            fence = mark[1]
        elif not line.lstrip(" ").startswith(">") and not line.startswith(("    ", "\t")):
            spoken.append(line.strip(" \t"))
    return spoken


def _options(words: list[str], algorithm: str | None) -> dict[str, Scalar]:
    if not words or len(words) > MAX_OPTIONS:
        headline = f"/retrain takes 1 to {MAX_OPTIONS} options such as max_depth=8."
        raise InvalidRequest(headline, remedy="Name what to change and comment again.", code="E-COMMAND-006")
    values: dict[str, Scalar] = {}
    for word in words:
        option = _OPTION.match(word)
        if option is None:
            headline = f"{shown(word, 40)!r} is not 'name=value'."
            raise InvalidRequest(headline, remedy="Write options without blanks around '=' and comment again.", code="E-COMMAND-007")
        if option[1] in values:
            raise InvalidRequest(f"{option[1]} is set twice.", remedy="Keep one and comment again.", code="E-COMMAND-008")
        values[option[1]] = _typed(option[1], option[2], algorithm)
    return values


def _typed(name: str, text: str, algorithm: str | None) -> Scalar:
    results = [read_one(name, text, method) for method in ([algorithm] if algorithm else ENTRIES)]
    good = [result for result in results if not isinstance(result, Problem)]
    if good:
        return good[0]
    known = [result for result in results if isinstance(result, Problem) and result.code == "E-PARSE-020"]
    if known:
        allowed = "; ".join(dict.fromkeys(problem.allowed for problem in known))
        raise InvalidRequest(f"{name} cannot be {shown(text, 40)!r}; allowed: {allowed}.", remedy="Comment again.", code="E-COMMAND-009")
    near = suggest(algorithm or "", name[:40])
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    names = list(
        dict.fromkeys(key for method in ([algorithm] if algorithm in ENTRIES else ENTRIES) for key in ENTRIES[method].hyperparameters)
    )
    headline = f"{shown(name, 40)!r} is not a hyperparameter here; known: {', '.join(names)}.{hint}"
    raise InvalidRequest(headline, remedy="Comment again.", code="E-COMMAND-010")
