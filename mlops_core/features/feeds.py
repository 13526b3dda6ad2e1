"""From a prepared table to what the graph eats and what the metrics compare with.

    feeds = feeds_of(table, spec)           # {'age': int64 [N,1], 'sex': object [N,1], …}
    y = targets_of(table, spec)             # float64 [N]: class index, or the value
    for table in read_batches(path): …      # a prepared split in pieces, so that memory stays bounded

Tables are pyarrow tables or record batches of a prepared split (typed columns, null where missing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.features.typing import MISSING_INT64, input_name

Array = np.ndarray[Any, Any]


def feeds_of(table: Any, spec: FeatureSpec) -> dict[str, Array]:
    """The graph's inputs for the rows of a table, each [N,1]."""
    feeds: dict[str, Array] = {}
    for number in spec.numeric:
        column = _column(table, number.name)
        if number.type == "int64":
            values = column.fill_null(pa.scalar(MISSING_INT64, pa.int64())).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
        else:
            values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        feeds[input_name(number.name)] = values.reshape(-1, 1)
    for text in spec.categorical:
        words = _column(table, text.name).fill_null("").to_numpy(zero_copy_only=False)
        feeds[input_name(text.name)] = np.asarray(words, dtype=object).reshape(-1, 1)
    return feeds


def targets_of(table: Any, spec: FeatureSpec) -> Array:
    """The target as float64 [N]; a class that the specification does not know raises KeyError."""
    column = _column(table, spec.target)
    if spec.task == "regression":
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    words = column.to_pylist()
    if spec.task == "binary":
        return np.array([float(word == spec.labels[1]) for word in words])
    index = {label: float(number) for number, label in enumerate(spec.labels)}
    return np.array([index[word] for word in words], dtype=np.float64)


def read_batches(path: Path, rows: int = 65_536) -> Iterator[Any]:
    """Record batches of a Parquet file in file order, at most ``rows`` rows each."""
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=rows)


def _column(table: Any, name: str) -> Any:
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def feeds_of_rows(rows: Sequence[Mapping[str, float | int | str | None]], spec: FeatureSpec) -> dict[str, Array]:
    """The graph's inputs for rows as plain Python values; absent keys and None are missing."""
    feeds: dict[str, Array] = {}
    for number in spec.numeric:
        values = [row.get(number.name) for row in rows]
        whole = number.type == "int64"
        filled = [(MISSING_INT64 if whole else np.nan) if value is None else value for value in values]
        feeds[input_name(number.name)] = np.array(filled, dtype=np.int64 if whole else np.float64).reshape(-1, 1)
    for text in spec.categorical:
        words = [row.get(text.name) for row in rows]
        feeds[input_name(text.name)] = np.array(["" if word is None else word for word in words], dtype=object).reshape(-1, 1)
    return feeds


def session(model: bytes) -> Any:
    """An ONNX Runtime session on one thread, which keeps the order of float sums."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
