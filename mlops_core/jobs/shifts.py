"""How far the validation and test rows have moved from the training rows: the population stability index of every column.

    found = stability(connection, profiles, parts=["validation", "test"])      # every Shift, the greatest first

The cells are those of the profile (tenths of the training rows, or its listed categories and the rest), one more counts missing values.
All rows are counted in SQL; the index itself is `mlops_core.features.checks.stability.psi`.  At most `MOST_COLUMNS` columns are asked.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mlops_core.contracts.dataset import ColumnProfile
from mlops_core.contracts.quality import PartName, Shift
from mlops_core.features.checks.stability import psi
from mlops_core.features.sql import double
from mlops_core.features.typing import count_sql, identifier, literal

MOST_COLUMNS = 200
LEAST_ROWS = 500
_CHUNK = 25


def stability(connection: Any, profiles: Sequence[ColumnProfile], *, parts: Sequence[PartName]) -> list[Shift]:
    """The index of every column that has cells, for each split of at least 500 rows: smaller ones reach 0.2 by chance."""
    asked = [item for item in profiles if item.rows and (item.edges or item.categories)][:MOST_COLUMNS]
    found = []
    for part in parts:
        rows = connection.execute(f"select count(*) from {part}").fetchone()[0]
        if rows < LEAST_ROWS:
            continue
        for start in range(0, len(asked), _CHUNK):
            found += _of_columns(connection, part, asked[start : start + _CHUNK], rows)
    return sorted(found, key=lambda item: (-item.psi, item.column, item.part))


def _of_columns(connection: Any, part: PartName, columns: Sequence[ColumnProfile], rows: int) -> list[Shift]:
    expressions = [_counted(item) for item in columns]
    listed = ", ".join(expression for of_column in expressions for expression in of_column)
    values = iter(connection.execute(f"select {listed} from {part}").fetchone())
    found = []
    for item, of_column in zip(columns, expressions, strict=True):
        counts = [int(next(values)) for _ in of_column]
        index = psi(_reference(item), [count / rows for count in _cells(item, counts, rows)])
        found.append(Shift(column=item.name, part=part, psi=round(index, 4), rows=rows))
    return found


def _counted(item: ColumnProfile) -> list[str]:
    """Filled values first, then those up to each edge, or those of each listed category."""
    column = identifier(item.name)
    if item.edges:
        return [f"count({column})", *(count_sql(f"{column} <= {double(edge)}") for edge in item.edges)]
    return [f"count({column})", *(count_sql(f"{column} = {literal(value)}") for value, _ in item.categories)]


def _cells(item: ColumnProfile, counts: Sequence[int], rows: int) -> list[int]:
    filled, *cells = counts
    if item.edges:
        cells = [after - before for before, after in pairwise([0, *cells, filled])]
    else:
        cells = [*cells, filled - sum(cells)]
    return [*cells, rows - filled]


def _reference(item: ColumnProfile) -> list[float]:
    filled = (item.rows - item.missing) / item.rows
    shares = (
        list(item.shares)
        if item.edges
        else [*(share for _, share in item.categories), max(0.0, 1 - sum(share for _, share in item.categories))]
    )
    return [*(share * filled for share in shares), 1 - filled]
