"""A table of scored rows of any length, from Parquet: every figure overall, by group and by segment, with intervals.

    found = evaluate_scored(path, Scored("score", "label", by=("group", "segment")), resampling=Resampling(42, 1000))
    found.whole.figures["roc_auc"].interval
    found.by["segment"]["s07"].figures["f1"], found.audits[0].gaps["selection_rate"], found.slices.found[0]

The file is read once, row group by row group: confusion counts and loss sums go into a cube over the columns' values, scores and labels
into packed keys.  One sort overall and one within each value of each column then give the ranking figures (`ranking.rank`), so all of them
are exact.  Sums are added in the order of the row groups and values are sorted by name, so two runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.contracts.findings import Calibration, Condition, GroupAudit, MeasureName, Slices
from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.evaluation.calibration import bin_sums, calibration
from mlops_core.evaluation.groups import audit_cells
from mlops_core.evaluation.intervals import Estimate, by_deviation, mean_estimate
from mlops_core.evaluation.losses import LOSSES, row_losses
from mlops_core.evaluation.ranking import Ranking, keys_of, precision_points, rank, roc_points
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.slices import Moments, slices_of

Array = np.ndarray[Any, Any]
MISSING = "(missing)"
MOST_VALUES = 65_536
_STEP = 1 << 14
_STEPS = 66


@dataclass(frozen=True)
class Scored:
    """Columns of the file: the probability of the positive class, the label (bool, or 0 and 1), and columns to break figures down by."""

    score: str
    label: str
    by: tuple[str, ...] = ()
    threshold: float = 0.5


@dataclass(frozen=True)
class Part:
    """Figures of some rows; ``cells`` is [[true negative, false positive], [false negative, true positive]]."""

    rows: int
    cells: Array
    figures: dict[MeasureName, Estimate]


@dataclass(frozen=True)
class ScoredFigures:
    """The whole table, its parts by column and value, its curves, and what differs between the parts.

    ``by`` holds every value (``(missing)`` for null), small ones too: what is shown to people goes through ``audits`` and ``slices``,
    which leave those under ten and fifty rows out.
    """

    whole: Part
    by: dict[str, dict[str, Part]]
    calibration: Calibration
    roc: tuple[Array, Array] | None
    precision_recall: tuple[Array, Array] | None
    audits: tuple[GroupAudit, ...]
    slices: Slices


def evaluate_scored(path: Path, scored: Scored, *, resampling: Resampling, threads: int = 2, bins: int = 10) -> ScoredFigures:
    """All figures of a Parquet file.

    `JobFailed` (E-EVAL-001, -003 … -005) for no rows, scores that are no probabilities and missing labels; `InvalidRequest` (E-EVAL-009)
    for a column that the file lacks, labels other than 0 and 1, or columns with more than 65,536 combinations of values.
    """
    with ThreadPoolExecutor(threads) as pool:
        table = _read(path, scored, pool)
        rankings = _rankings(table, pool)
    whole = _part(table.cube.sum(axis=tuple(range(len(scored.by)))), rankings[0], resampling)
    by, audits, place = {}, [], 1
    for axis, (name, values) in enumerate(zip(scored.by, table.values, strict=True)):
        others = tuple(other for other in range(len(scored.by)) if other != axis)
        sums = table.cube.sum(axis=others)
        # A category that the file lists and no row has is no part of the table.
        there = [index for index in range(len(values)) if sums[index, :4].any()]
        by[name] = {values[index]: _part(sums[index], rankings[place + index], resampling) for index in there}
        place += len(values)
        audits.append(audit_cells(name, list(by[name]), np.array([part.cells for part in by[name].values()])))
    return ScoredFigures(
        whole=_with_calibration(whole, table.keys, resampling, bins),
        by=by,
        calibration=calibration(table.keys, name=scored.label, bins=bins),
        roc=roc_points(rankings[0]),
        precision_recall=precision_points(rankings[0]),
        audits=tuple(audits),
        slices=_slices(table, scored),
    )


@dataclass
class _Table:
    """What reading leaves: packed keys, codes per column, the values they stand for, and sums [value…, 8]."""

    keys: Array
    codes: list[Array]
    values: list[list[str]]
    cube: Array


def _read(path: Path, scored: Scored, pool: ThreadPoolExecutor) -> _Table:
    with pq.ParquetFile(path) as file:
        _require(file, scored)
        sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    # Writers leave groups without rows; there is nothing to read in them.
    groups = [index for index, size in enumerate(sizes) if size]
    starts = np.concatenate([[0], np.cumsum([sizes[index] for index in groups], dtype=np.int64)])
    if not starts[-1]:
        raise JobFailed("the split holds no rows, so nothing can be measured.", code="E-EVAL-001")
    keys = np.empty(int(starts[-1]), dtype=np.uint64)
    codes = [np.empty(len(keys), dtype=np.uint16) for _ in scored.by]

    def one(place: int) -> tuple[list[list[str | None]], Array]:
        inside = slice(int(starts[place]), int(starts[place + 1]))
        with pq.ParquetFile(path, read_dictionary=list(scored.by)) as file:
            group = file.read_row_group(groups[place], columns=[scored.score, scored.label, *scored.by], use_threads=False)
        return _group(group, scored, keys[inside], [part[inside] for part in codes])

    return _joined(list(pool.map(one, range(len(groups)))), starts, _Table(keys, codes, [], np.empty(0)))


def _require(file: Any, scored: Scored) -> None:
    names = file.schema_arrow.names
    for name in (scored.score, scored.label, *scored.by):
        if name not in names:
            raise InvalidRequest(
                f"the scored table has no column {name[:80]!r}.", remedy=f"Choose among {', '.join(names)[:300]}.", code="E-EVAL-009"
            )


def _group(group: Any, scored: Scored, keys: Array, codes: list[Array]) -> tuple[list[list[str | None]], Array]:
    """One row group into its places; its own values per column and its sums over their combinations [cells, 8]."""
    scores, positive = _scores(group.column(scored.score)), _positive(group.column(scored.label))
    keys[:] = keys_of(scores, positive)
    values = [_coded(group.column(name), out) for name, out in zip(scored.by, codes, strict=True)]
    sizes = [len(part) for part in values]
    cells = int(np.prod(sizes, dtype=np.int64))
    if cells > MOST_VALUES:
        raise _too_many(scored.by, cells)
    sums = np.zeros((8, cells))
    for start in range(0, len(scores), _STEP):
        inside = slice(start, start + _STEP)
        place = np.zeros(len(scores[inside]), dtype=np.intp)
        for part, size in zip(codes, sizes, strict=True):
            place *= size
            place += part[inside]
        sums += _sums(place, positive[inside], scores[inside], scored.threshold, cells)
    return values, sums.T.reshape(*sizes, 8)


def _sums(place: Array, positive: Array, scores: Array, threshold: float, cells: int) -> Array:
    """Per combination of values: the four confusion counts, then sum and sum of squares of log loss and squared error."""
    kinds = place * 4 + 2 * positive + (scores >= threshold)
    counts = np.bincount(kinds, minlength=4 * cells).reshape(cells, 4).T.astype(np.float64)
    losses = row_losses(positive, scores)
    weights = (losses[0], losses[0] * losses[0], losses[1], losses[1] * losses[1])
    return np.concatenate([counts, [np.bincount(place, weights=part, minlength=cells) for part in weights]])


def _scores(column: Any) -> Array:
    values = column.combine_chunks().cast(pa.float64()).to_numpy(zero_copy_only=False)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int((~np.isfinite(values)).sum())
        raise JobFailed(f"the model returns no finite score for {bad} of {len(values)} rows.", code="E-EVAL-003")
    if low < 0 or high > 1:
        if low < -1e-6 or high > 1 + 1e-6:
            raise JobFailed(f"the model returns {low:g} … {high:g} where probabilities are expected.", code="E-EVAL-004")
        values = np.clip(values, 0.0, 1.0)
    return np.asarray(values)


def _positive(column: Any) -> Array:
    if column.null_count:
        raise JobFailed(f"the target is missing on {column.null_count} of {len(column)} rows.", code="E-EVAL-005")
    if pa.types.is_boolean(column.type):
        return np.asarray(column.to_numpy())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.to_numpy()
        positive: Array = values == 1
        if (positive | (values == 0)).all():
            return positive
    raise InvalidRequest(
        f"labels of type {column.type} with other values than 0 and 1 are not read.",
        remedy="Write true and false, or 1 and 0.",
        code="E-EVAL-009",
    )


def _coded(column: Any, out: Array) -> list[str | None]:
    """Write codes and return the values they stand for; the last one is missing, where it occurs."""
    column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if len(column.dictionary) >= MOST_VALUES:
        raise _too_many((), len(column.dictionary))
    values: list[str | None] = [None if value is None else str(value) for value in column.dictionary.to_pylist()]
    indices = column.indices
    if indices.null_count:
        indices = indices.fill_null(len(values))
        values.append(None)
    out[:] = indices.to_numpy(zero_copy_only=False)
    return values


def _too_many(names: Sequence[str], found: int) -> InvalidRequest:
    return InvalidRequest(
        f"the columns {', '.join(names)[:200]} have {found:,} combinations of values; at most {MOST_VALUES:,} are told apart.",
        remedy="Break down by columns with fewer values.",
        code="E-EVAL-009",
    )


def _joined(groups: list[tuple[list[list[str | None]], Array]], starts: Array, table: _Table) -> _Table:
    """Give every row group's own codes the common ones, by sorted value, and add the cubes in file order."""
    found: list[list[str]] = []
    for column in range(len(table.codes)):
        seen = {MISSING if value is None else value for values, _ in groups for value in values[column]}
        found.append(sorted(seen, key=lambda word: (word == MISSING, word)))
    sizes = [len(words) for words in found]
    if np.prod(sizes, dtype=np.int64) > MOST_VALUES:
        raise _too_many([], int(np.prod(sizes, dtype=np.int64)))
    cube = np.zeros((*sizes, 8))
    for number, (values, sums) in enumerate(groups):
        tables = []
        for column, words in enumerate(found):
            places = {word: place for place, word in enumerate(words)}
            tables.append(np.array([places[MISSING if value is None else value] for value in values[column]], dtype=np.uint16))
            inside = slice(int(starts[number]), int(starts[number + 1]))
            if not np.array_equal(tables[-1], np.arange(len(tables[-1]))):
                table.codes[column][inside] = tables[-1][table.codes[column][inside]]
        np.add.at(cube, np.ix_(*tables), sums) if tables else np.add(cube, sums, out=cube)
    return _Table(table.keys, table.codes, found, cube)


def _rankings(table: _Table, pool: ThreadPoolExecutor) -> list[Ranking]:
    """The whole table first, then every value of every column; the longest sort starts first."""
    whole = pool.submit(rank, table.keys.copy() if table.codes else table.keys, steps=_STEPS)
    later: list[Any] = []
    for codes, values in zip(table.codes, table.values, strict=True):
        parts = _parted(table.keys, codes, len(values))
        later += [pool.submit(rank, part) for part in parts]
    table.codes.clear()
    found = [whole.result(), *(each.result() for each in later)]
    if later:
        table.keys.sort()
    return found


def _parted(keys: Array, codes: Array, size: int) -> list[Array]:
    narrow = codes.astype(np.uint8) if size <= 256 else codes
    ordered = keys[np.argsort(narrow, kind="stable")]
    ends = np.cumsum(np.bincount(codes, minlength=size))
    return [ordered[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _part(sums: Array, ranking: Ranking, resampling: Resampling) -> Part:
    cells = np.rint(sums[:4]).astype(np.int64).reshape(2, 2)
    rows = int(cells.sum())
    figures = resampling.of_cells("binary", cells)
    figures |= {name: mean_estimate(rows, *sums[4 + 2 * place : 6 + 2 * place].tolist()) for place, name in enumerate(LOSSES)}
    if ranking.area is not None and ranking.precision is not None:
        figures["roc_auc"] = by_deviation(ranking.area.value, ranking.area.deviation, "delong")
        figures["average_precision"] = by_deviation(ranking.precision.value, ranking.precision.deviation, "delta")
    return Part(rows, cells, figures)


def _with_calibration(part: Part, keys: Array, resampling: Resampling, bins: int) -> Part:
    return Part(part.rows, part.cells, {**part.figures, "ece": resampling.of_bins(bin_sums(keys, bins))})


def _slices(table: _Table, scored: Scored) -> Slices:
    """Worst values and pairs of values, from the cube alone."""
    conditions = [
        [Condition(column=name, missing=True) if value == MISSING else Condition(column=name, category=value) for value in values]
        for name, values in zip(scored.by, table.values, strict=True)
    ]
    axes = range(len(scored.by))
    found: list[Moments] = []
    for kept in [(axis,) for axis in axes] + [(first, second) for first in axes for second in axes if first < second]:
        sums = table.cube.sum(axis=tuple(axis for axis in axes if axis not in kept)).reshape(-1, 8)
        names: list[tuple[Condition, ...]] = [(one,) for one in conditions[kept[0]]]
        if len(kept) == 2:
            names = [(one, other) for one in conditions[kept[0]] for other in conditions[kept[1]]]
        found.append(Moments(np.column_stack([sums[:, :4].sum(axis=1), sums[:, 6], sums[:, 7]]), tuple(names)))
    return slices_of(found, loss="brier", columns=len(scored.by))
