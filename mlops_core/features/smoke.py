"""Smoke rows: made-up inputs that a served model must answer as its graph did when it was packed.

    rows = smoke_rows(spec, profile, count=8)       # [{'age': 37, 'sex': 'Male', …}, …]

Numbers are drawn between the training quantiles (1 to 99 %), text from the categories by frequency, each column by itself, so a row of
the data is never copied.  One row has a missing value wherever training had one, one an unknown word in every text column.  The same
specification gives the same rows.
"""

from __future__ import annotations

import random

from mlops_core.contracts.base import digest
from mlops_core.contracts.dataset import ColumnProfile, DataProfile, FeatureSpec
from mlops_core.features.profile import QUANTILES

UNKNOWN = "mlops-unknown"
Row = dict[str, float | int | str | None]


def smoke_rows(spec: FeatureSpec, profile: DataProfile, *, count: int) -> list[Row]:
    """``count`` rows (at least 3) with one key per input column."""
    source = random.Random(digest(spec))  # noqa: S311  made-up rows, nothing secret
    columns = {item.name: item for item in profile.columns}
    rows: list[Row] = [_drawn(spec, columns, source) for _ in range(count - 2)]
    unknown = rows[0] | {column.name: UNKNOWN for column in spec.categorical}
    missing: Row = {name: None if columns[name].missing else value for name, value in rows[0].items()}
    return [*rows, missing, unknown]


def _drawn(spec: FeatureSpec, columns: dict[str, ColumnProfile], source: random.Random) -> Row:
    row: Row = {}
    for number in spec.numeric:
        value = _between(columns[number.name].quantiles, source.random())
        row[number.name] = round(value) if number.type == "int64" else float(f"{value:.4g}")
    for text in spec.categorical:
        listed = columns[text.name].categories
        row[text.name] = source.choices([name for name, _ in listed], [share for _, share in listed])[0]
    return row


def _between(quantiles: tuple[float, ...], place: float) -> float:
    """The value at a place of the distribution, linear between the known quantiles."""
    place = min(max(place, QUANTILES[0]), QUANTILES[-1])
    for low, high, start, end in zip(QUANTILES, QUANTILES[1:], quantiles, quantiles[1:], strict=False):
        if place <= high:
            return start + (end - start) * (place - low) / (high - low)
    return quantiles[-1]
