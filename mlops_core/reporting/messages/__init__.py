"""Every sentence a person reads, by key and language.

    plain("ja", "phase.data")                  # '…'
    plain("en", "verdict.line", measured="0.93", required="0.90")
    filled("{rows:,} row{rows:|s} {rows:is|are} left", {"rows": 1})   # '1 row is left': the first word for one, else the second

A key has the same placeholders in every language (a test compares); an unknown key is a defect and says so.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.contracts.request import Language
from mlops_core.errors import Defect
from mlops_core.reporting.messages.en import EN
from mlops_core.reporting.messages.ja import JA

_FINDING = re.compile(r"finding\.w_([a-z]+)_(\d{3})(?:_[a-z_]+)?")
CATALOGUES: dict[Language, Mapping[str, str]] = {"en": EN, "ja": JA}


def text(language: Language, key: str) -> str:
    """The sentence with its placeholders unfilled; `Defect` names a key that does not exist."""
    found = CATALOGUES[language].get(key)
    if found is None:
        raise Defect(f"the text {key!r} does not exist in language {language!r}.", remedy="Add it to mlops_core/reporting/messages.")
    return found


def method(language: Language, name: str) -> str:
    """What a learning method is called; its own title where the catalogue has no other word."""
    own = ENTRIES[name].title if name in ENTRIES else name
    return CATALOGUES[language].get(f"method.{name}", own)


def warning_codes() -> list[str]:
    """Every warning that a run can show, in order."""
    found = (_FINDING.fullmatch(key) for key in CATALOGUES["en"])
    return sorted({f"W-{match[1].upper()}-{match[2]}" for match in found if match})


def plain(language: Language, key: str, **values: object) -> str:
    """The sentence with its placeholders filled as they are: for mail, Slack and logs, not for Markdown."""
    return filled(text(language, key), values)


class _Grammar(string.Formatter):
    """Format strings whose fields may choose a word by number."""

    def format_field(self, value: object, format_spec: str) -> str:
        one, bar, many = format_spec.partition("|")
        if bar:
            return one if str(value) == "1" else many
        return format(value, format_spec)


def filled(sentence: str, values: Mapping[str, object]) -> str:
    """A sentence with its placeholders filled; `KeyError` names one without a value."""
    return _Grammar().vformat(sentence, (), values)
