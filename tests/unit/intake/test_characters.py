"""Which characters may stand in a value, and how values are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.intake.characters import offence, shown


@pytest.mark.parametrize("text", ["income", "年齢 (歳)", "売上　高", "naïve", "भारत", "한국", "µ", "a b"])
def test_visible_text_of_any_script_is_taken(text: str) -> None:
    assert offence(text) == ""


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("a\u200db", "U+200D"),
        ("\u2066a", "U+2066"),
        ("a\u2028b", "U+2028"),
        ("a\U000e0041", "U+E0041"),
        ("a\ue000", "U+E000"),
        ("e\u0301", "U+0065"),
        ("\u2800", "U+2800"),
    ],
)
def test_what_cannot_be_seen_is_named_by_code_point(text: str, point: str) -> None:
    assert offence(text).startswith(point)


@given(st.text())
def test_what_is_shown_is_one_short_line_without_controls(text: str) -> None:
    line = shown(text)
    assert len(line) <= 80 * 10 + 1
    assert line.isprintable()
