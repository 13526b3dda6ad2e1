"""What stations tell a run, put into the words of its language.

    said("ja", Text(key="detail.round", values={"round": 1}))           # 'ラウンド 1'
    warned("en", Finding(code="W-DATA-001", values={...}))              # '24 duplicate rows were kept'
    explained("ja", "InvalidRequest: … (E-DATA-012)")                   # the code's meaning, then the original words
    gist("ja", "InvalidRequest: … (E-DATA-012)")                        # the code's meaning alone: one line

Stations send keys and values; the words are chosen where they are stored, so ledger, pages and terminal show the same line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_core import judging
from mlops_core.contracts.changes import Text
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.request import Language
from mlops_core.contracts.run import RunWarning
from mlops_core.contracts.verdict import Rule, Verdict
from mlops_core.errors import Defect, MlopsError
from mlops_core.reporting.figures import figure
from mlops_core.reporting.messages import CATALOGUES, plain, text
from mlops_core.reporting.messages.failures import FAILURES

_CODE = re.compile(r"\b(E-[A-Z]+(?:-[A-Z0-9]+)+)\b")
_GROUPS = {"metric": "metric.", "split": "report.split_", "status": "job.", "check": "check.", "action": "word.", "form": "word."}
"""Values that are words of ours: they are translated too, as far as the catalogue knows them."""
_REASONS = ("reason.expired", "reason.timed_out", "reason.aborted", "reason.unknown")
_MOST_COLUMNS = 20
_LONGEST_WARNING = 500


def said(language: Language, line: Text) -> str:
    """One plain line; `Defect` names a key or a value that the catalogue does not have."""
    values = dict(line.values)
    if "reason" in values:
        values["reason"] = gist(language, str(values["reason"]))
    if isinstance(values.get("value"), float):
        values["value"] = figure(float(values["value"]))
    try:
        return plain(language, line.key, **_words(language, values))
    except (KeyError, ValueError) as error:
        raise Defect(f"the text {line.key!r} cannot be filled with {sorted(values)}.", code="E-TEXT") from error


def _words(language: Language, values: Mapping[str, str | int | float]) -> dict[str, object]:
    known = CATALOGUES[language]
    return {name: known.get(f"{_GROUPS[name]}{value}".lower(), value) if name in _GROUPS else value for name, value in values.items()}


def warned(language: Language, finding: Finding) -> RunWarning:
    """The sentence of a finding with its columns and numbers; a finding the catalogue does not know shows its values."""
    key = f"finding.{finding.code.lower().replace('-', '_')}"
    if finding.values.get("dropped") == 0 and f"{key}_kept" in CATALOGUES[language]:
        key += "_kept"
    key += next((f"_no_{name}" for name, value in finding.values.items() if value == 0 and f"{key}_no_{name}" in CATALOGUES[language]), "")
    if not finding.columns and f"{key}_file" in CATALOGUES[language]:
        key += "_file"
    listed = ", ".join(f"{name} {value}" for name, value in sorted(finding.values.items()))
    try:
        sentence = plain(language, key, **_words(language, finding.values | {"listed": listed}))
    except (Defect, KeyError, ValueError):
        sentence = listed
    columns = ", ".join(finding.columns[:_MOST_COLUMNS])
    whole = plain(language, "finding.of_columns", columns=columns, sentence=sentence) if columns and sentence else columns or sentence
    return RunWarning(code=finding.code, text=whole[:_LONGEST_WARNING])


def explained(language: Language, reason: str, verdict: Verdict | None = None) -> str:
    """Why a run ended: in Japanese the meaning of the error's code, then the original words; words without a code stay as they are."""
    if language == "en" or not reason:
        return reason
    if verdict is not None and reason == judging.reason(verdict):
        return _judged(language, verdict)
    meaning = _meaning(language, reason)
    if not meaning:
        return reason
    return meaning if reason in _own() else f"{meaning}\n{plain(language, 'reason.original', reason=reason)}"


def gist(language: Language, reason: str) -> str:
    """`explained` in one line, for tables: the meaning where there is one, else the words."""
    meaning = _meaning(language, reason) if language != "en" else ""
    return meaning or reason


def answered(language: Language, error: MlopsError) -> str:
    """An error as an answer on the issue, without its code: the meaning of the code and the original words."""
    meaning = FAILURES.get(error.code) if language == "ja" else None
    return f"{meaning} {plain(language, 'reason.original', reason=str(error))}" if meaning else str(error)


def in_both(error: MlopsError) -> str:
    """An error as an answer to somebody whose language is not known: its own words, and what its code means in Japanese."""
    meaning = FAILURES.get(error.code, "")
    return f"{error} {meaning}".strip()


def _meaning(language: Language, reason: str) -> str:
    if reason in _own():
        return text(language, _own()[reason])
    codes = [code for code in _CODE.findall(reason) if code in FAILURES]
    return plain(language, "reason.coded", meaning=FAILURES[codes[-1]], code=codes[-1]) if codes else ""


def _own() -> dict[str, str]:
    return {CATALOGUES["en"][key]: key for key in _REASONS}


def compared(language: Language, rule: Rule) -> str:
    """What a rule compared, in plain text: a metric or a figure between groups, and of whom where that is not the whole split."""
    name = text(language, f"measure.{rule.measure}" if rule.measure else f"metric.{rule.metric}")
    return plain(language, "rule.of", metric=name, subject=rule.subject) if rule.subject else name


def _judged(language: Language, verdict: Verdict) -> str:
    rule = verdict.rules[0]
    lower, strict = judging.counts_downwards(rule), rule.strict or rule.name == "beat_baseline"
    side = ("below" if strict else "most") if lower else ("above" if strict else "least")
    return plain(
        language,
        "reason.judged",
        rule=text(language, f"rule.{rule.name}"),
        metric=compared(language, rule),
        measured=f"{rule.measured:.6g}",
        required=f"{rule.required:.6g}",
        comparison=text(language, f"comparison.{side}"),
    )
