"""Which features are worth keeping, decided on training features.

    kept, left = select(Features(connection, "train", columns, target, classes), config)

``correlation``: of each pair with |r| > `CORRELATED` (Pearson, over all training rows) the later feature is left out, in the order of the
vector; a feature that is itself left out leaves out no other.  At most `MOST_COMPARED` features are compared.
``importance``: the ``keep_features`` with the greatest gain by the measure that the caller hands in (`algorithms.gains`), taken on at most
about `SAMPLE_ROWS` training rows, fewer beyond 500 features (`SAMPLE_CELLS`): every k-th row number of the file.  Without
``keep_features``, every feature with any gain.  Equal gains go by order.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.errors import InvalidRequest
from mlops_core.features.load import ROW

Array = np.ndarray[Any, Any]
CORRELATED = 0.95
MOST_COMPARED = 2_000
SAMPLE_ROWS = 100_000
SAMPLE_CELLS = 50_000_000
"""Values of the sample together (200 MB)."""
Gains = Callable[[Array, Array, int], Array]
"""Features [rows, F] float32, the target and the number of classes (0: regression) to a gain per feature."""
_BATCH_CELLS = 4_000_000


@dataclass(frozen=True)
class Features:
    """Training features as SQL over ``table``: (expression, name) each, and the target as double."""

    connection: Any
    table: str
    columns: Sequence[tuple[str, str]]
    target: str
    classes: int
    gains: Gains | None = None


@dataclass(frozen=True)
class LeftOut:
    """A feature by its place that was left out: because of another (``partner``, ``figure`` is r), or for its share of the gain."""

    place: int
    figure: float
    partner: int | None = None


def select(features: Features, config: DataJobConfig) -> tuple[list[int], list[LeftOut]]:
    """Places kept, ascending, and those left out; `InvalidRequest` (E-DATA-041) when there are too many features to compare."""
    if config.selection == "correlation":
        return _uncorrelated(features)
    if config.selection == "importance" and features.gains:
        return _important(features, config, features.gains)
    return list(range(len(features.columns))), []


def _uncorrelated(features: Features) -> tuple[list[int], list[LeftOut]]:
    count = len(features.columns)
    if count > MOST_COMPARED:
        raise InvalidRequest(
            f"the selection by correlation compares at most {MOST_COMPARED:,} features; the data has {count:,}.",
            remedy="Choose the selection importance, the encoding target, or drop columns.",
            code="E-DATA-041",
        )
    matrix = _correlations(features)
    kept: list[int] = []
    left: list[LeftOut] = []
    for place in range(count):
        partner = next((other for other in kept if abs(matrix[place, other]) > CORRELATED), None)
        if partner is None:
            kept.append(place)
        else:
            left.append(LeftOut(place, round(float(matrix[place, partner]), 6), partner))
    return kept, left


def _correlations(features: Features) -> Array:
    """Pearson's r of all pairs in one pass, from sums of products around the first batch's means; 0 where a feature is constant."""
    count = len(features.columns)
    shift, sums, products, rows = np.zeros(count), np.zeros(count), np.zeros((count, count)), 0
    for batch in _batches(features, "true", with_target=False):
        values = batch.astype(np.float64)
        if not rows:
            shift = values.mean(axis=0)
        values -= shift
        sums += values.sum(axis=0)
        products += values.T @ values
        rows += len(values)
    covariance = products / rows - np.outer(sums / rows, sums / rows)
    deviation = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    spread = np.outer(deviation, deviation)
    found: Array = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0)
    return found


def _important(features: Features, config: DataJobConfig, measure: Gains) -> tuple[list[int], list[LeftOut]]:
    gains = _sampled_gains(features, measure)
    order = sorted(range(len(gains)), key=lambda place: (-gains[place], place))
    wanted = [place for place in order if gains[place] > 0] or order[:1]
    if config.keep_features is not None:
        wanted = order[: config.keep_features]
    kept = sorted(wanted)
    total = float(gains.sum()) or 1.0
    return kept, [LeftOut(place, round(float(gains[place]) / total, 6)) for place in range(len(gains)) if place not in set(kept)]


def _sampled_gains(features: Features, measure: Gains) -> Array:
    rows = features.connection.execute(f"select count(*) from {features.table}").fetchone()[0]
    step = max(1, -(-rows // min(SAMPLE_ROWS, max(1, SAMPLE_CELLS // len(features.columns)))))
    sample = np.concatenate(list(_batches(features, f"{ROW} % {step} = 0", with_target=True)) or [np.zeros((0, 1))])
    if len(sample) < 2:
        return np.zeros(len(features.columns))
    return measure(sample[:, :-1], sample[:, -1], features.classes)


def _batches(features: Features, rule: str, *, with_target: bool) -> Any:
    """The features of the rows that the rule names, in file order, with the target last when it is asked for."""
    listed = [f"{expression} as {name}" for expression, name in features.columns]
    if with_target:
        listed.append(f"{features.target} as y")
    query = f"select {', '.join(listed)} from {features.table} where {rule}"
    size = max(1, min(65_536, _BATCH_CELLS // len(listed)))
    with features.connection.cursor() as own:
        for batch in own.sql(query).to_arrow_reader(size):
            if batch.num_rows:
                yield np.column_stack([column.to_numpy(zero_copy_only=False).astype(np.float32, copy=False) for column in batch.columns])
