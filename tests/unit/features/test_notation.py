"""Decimal commas, thousands separators and currency marks."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.features.notation import Notation, Style


@pytest.mark.parametrize(
    ("style", "currency", "text", "plain"),
    [
        ("comma", False, "1,5", "1.5"),
        ("comma", False, " -1.234,50 ", "-1234.50"),
        ("comma", False, "1.234.567", "1234567"),
        ("comma", False, "1.5", "1.5"),
        ("comma", False, "1,5,6", "1,5,6"),
        ("thousands", False, "1,234.50", "1234.50"),
        ("thousands", False, "12,34", "12,34"),
        ("thousands", False, "-1,234,567", "-1234567"),
        ("plain", True, "$12", "12"),
        ("plain", True, "-€ 12.5", "-12.5"),
        ("thousands", True, "USD 1,234.50", "1234.50"),
        ("comma", True, "1.234,50 €", "1234.50"),
        ("plain", True, "USDX", "USDX"),
    ],
)
def test_a_number_is_put_into_plain_notation(style: Style, currency: bool, text: str, plain: str) -> None:
    """abuse row 82: thousands separators and locale decimals."""
    assert Notation(style, currency).plain(text) == ("X" if text == "USDX" else plain)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="0123456789.,+-eE$€ USD\u00a0", max_size=12), st.sampled_from(["plain", "comma", "thousands"]), st.booleans())
def test_sql_and_python_give_the_same_plain_text(text: str, style: Style, currency: bool) -> None:
    notation = Notation(style, currency)
    if notation == Notation():
        return
    found = duckdb.execute(f"select {notation.plain_sql('c')} from (select ? as c)", [text]).fetchall()  # noqa: S608
    assert found == [(notation.plain(text),)]
