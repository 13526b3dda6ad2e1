"""Columns of a split as slices and as groups, read one at a time so that memory stays that of their codes.

    columns = slice_columns(path, ("age", "sex"))          # [Coded …] for `slices.worst_slices`
    names, codes = group_column(path, "sex")               # for `groups.audit_…`

Text is told apart by category, numbers by value where there are at most ten and by fifths otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.contracts.findings import Condition
from mlops_core.evaluation.slices import Coded, coded_numbers, coded_words

Array = np.ndarray[Any, Any]
MISSING, OTHER = "(missing)", "(other)"
MOST_COLUMNS = 60
MOST_GROUPS = 50


def slice_columns(path: Path, names: Sequence[str]) -> list[Coded]:
    """The first 60 of the named columns that the file holds."""
    with pq.ParquetFile(path) as file:
        there = set(file.schema_arrow.names)
    found = []
    for name in [name for name in names if name in there][:MOST_COLUMNS]:
        column = _column(path, name)
        coded = coded_words(name, *_words(column)) if _is_text(column) else coded_numbers(name, _numbers(column))
        # Two bytes a row: with sixty columns that is what stays.
        found.append(Coded(coded.name, coded.codes.astype(np.int16), coded.conditions))
    return found


def group_column(path: Path, name: str) -> tuple[list[str], Array] | None:
    """Group names and every row's place among them; None when the file has no such column.

    More than fifty categories: the fifty with most rows keep their names, the rest is one group ``(other)``.
    """
    with pq.ParquetFile(path) as file:
        if name not in file.schema_arrow.names:
            return None
    column = _column(path, name)
    if not _is_text(column):
        coded = coded_numbers(name, _numbers(column))
        return [described(condition) for condition in coded.conditions], coded.codes
    codes, words = _words(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    kept = sorted(np.argsort(-counts, kind="stable")[:MOST_GROUPS].tolist(), key=lambda place: words[place])
    table = np.full(len(words) + 1, len(kept))
    table[kept] = np.arange(len(kept))
    table[-1] = len(kept) + 1
    return [*(words[place] for place in kept), OTHER, MISSING], table[codes]


def words_of(path: Path, name: str) -> tuple[Array, list[str]]:
    """A text column as every row's place (-1: missing) among its words."""
    return _words(_column(path, name))


def numbers_of(path: Path, name: str) -> Array:
    """A column of numbers as float64, NaN where it is missing."""
    return _numbers(_column(path, name))


def described(condition: Condition) -> str:
    """A condition without its column, in signs that need no translation: ``≤ 28``, ``28 – 37``, ``> 48``, a category."""
    if condition.missing:
        return MISSING
    if condition.category is not None:
        return condition.category
    low, high = condition.low, condition.high
    if low is None:
        return f"≤ {high:.6g}"
    return f"> {low:.6g}" if high is None else f"{low:.6g} – {high:.6g}"


def _column(path: Path, name: str) -> Any:
    with pq.ParquetFile(path, read_dictionary=[name]) as file:
        column = file.read(columns=[name]).column(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.combine_chunks()


def _is_text(column: Any) -> bool:
    return bool(pa.types.is_dictionary(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _words(column: Any) -> tuple[Array, list[str]]:
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = ["" if word is None else str(word) for word in coded.dictionary.to_pylist()]
    return coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), words


def _numbers(column: Any) -> Array:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
