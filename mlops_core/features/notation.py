"""Numbers written another way than 1234.5: decimal comma, thousands separators, currency marks.

    Notation("comma").plain("1.234,5")                    # '1234.5'
    Notation("thousands", currency=True).plain("USD 1,234.50")      # '1234.50'
    Notation("comma").plain_sql("c")                      # the same as a DuckDB expression over text

``plain`` gives the text in plain notation, or the text unchanged where it does not fit, which then is no number.  A notation belongs to a
whole column: ``1,234`` alone could be either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mlops_core.features.typing import BLANKS, literal, trimmed_sql

Style = Literal["plain", "comma", "thousands"]
_CURRENCY = "(?:US\\$|[$€£¥₩₹]|USD|EUR|GBP|JPY|CHF|CNY|INR)"
_LEADING = f"^([+-]?)[ ]?{_CURRENCY}[ \u00a0]?"
_TRAILING = f"[ \u00a0]?{_CURRENCY}$"
_FORMS = {
    "comma": r"[+-]?(?:[0-9]{1,3}(?:[.][0-9]{3})+|[0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]{1,3}(?:[.][0-9]{3}){2,}",
    "thousands": r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:[.][0-9]*)?",
}
_MARKS = {"comma": (".", ","), "thousands": (",", ".")}
"""Per style the thousands separator and the decimal mark."""


@dataclass(frozen=True)
class Notation:
    """How the numbers of one column are written."""

    style: Style = "plain"
    currency: bool = False

    def plain(self, text: str) -> str:
        """The text in plain notation."""
        found = text.strip(BLANKS)
        if self.currency:
            found = re.sub(_TRAILING, "", re.sub(_LEADING, r"\1", found, count=1), count=1)
        if self.style == "plain" or not re.fullmatch(_FORMS[self.style], found, re.ASCII):
            return found
        group, mark = _MARKS[self.style]
        return found.replace(group, "").replace(mark, ".")

    def plain_sql(self, column: str) -> str:
        """`plain` over a text expression; the expression itself for the plain notation."""
        if self == PLAIN:
            return column
        found = trimmed_sql(column)
        if self.currency:
            found = f"regexp_replace(regexp_replace({found}, {literal(_LEADING)}, '\\1'), {literal(_TRAILING)}, '')"
        if self.style == "plain":
            return found
        group, mark = _MARKS[self.style]
        plain = f"replace(replace({found}, '{group}', ''), '{mark}', '.')"
        return f"(case when regexp_full_match({found}, {literal(_FORMS[self.style])}) then {plain} else {found} end)"

    def marked_sql(self, column: str) -> str:
        """True where a value carries a currency mark."""
        found = trimmed_sql(column)
        return f"(regexp_matches({found}, {literal(_LEADING)}) or regexp_matches({found}, {literal(_TRAILING)}))"


PLAIN = Notation()
