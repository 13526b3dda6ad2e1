"""Columns of a table in ascending order, each as one array however many rows there are.

    with ThreadPoolExecutor(AHEAD) as workers:
        for name, values in ascending(connection, "train", ["age", "income"], rows=20_000_000, workers=workers):
            values[rank], values.searchsorted(50.0)
            for start, part in batches(values): ...

Up to `BLOCK` values are sorted in memory.  A longer column is cut at values of a sample: range after range is read, sorted and put at the
end of a nameless file beside the engine's own temporary ones, and the file is mapped.  A rank or a place touches few of its pages, and
`batches` lets go of those that it has shown.  Values that come very often are counted only.
Memory: two blocks of 8 bytes a value, or several short columns while they stay below 64 MB together.
"""

# ruff: noqa: S608  every name passes typing.identifier
from __future__ import annotations

import mmap
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.features.typing import identifier

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

AHEAD = 2
BLOCK = 32_000_000
TOGETHER = 8_000_000
BATCH = 1_000_000
_SAMPLE = 100_000


def ascending(connection: Any, table: str, names: Sequence[str], *, rows: int, workers: ThreadPoolExecutor) -> Iterator[tuple[str, Array]]:
    """Each numeric column's values in ascending order, missing left out; the workers make the next ones while the caller looks at these.

    The workers are the caller's: a generator that an error leaves behind is closed by whichever thread collects garbage.
    """
    together = max(1, TOGETHER // max(rows, 1))
    chunks = [names[start : start + together] for start in range(0, len(names), together)]
    pending = deque(workers.submit(_ordered, connection, table, chunk, rows) for chunk in chunks[:AHEAD])
    for place, chunk in enumerate(chunks, start=AHEAD):
        for name, values in zip(chunk, pending.popleft().result(), strict=True):
            yield name, values
            del values
        if place < len(chunks):
            pending.append(workers.submit(_ordered, connection, table, chunks[place], rows))


def batches(values: Array) -> Iterator[tuple[int, Array]]:
    """Parts of at most `BATCH` values in their order, each with the place of its first; mapped pages are let go of behind each part."""
    for start in range(0, len(values), BATCH):
        yield start, values[start : start + BATCH]
        mapped = getattr(values, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def long_column(connection: Any, table: str, name: str, *, where: str = "true") -> Array:
    """One column of many rows, filled batch by batch into an array that holds nothing else."""
    import numpy as np

    column = identifier(name)
    asked = f"from {table} where {column} is not null and {where}"
    filled, kind = connection.execute(f"select count(*), typeof(any_value({column})) {asked}").fetchone()
    values = np.empty(filled, dtype=_kind(kind))
    place = 0
    for batch in _read(connection, column, asked):
        values[place : place + len(batch)] = batch
        place += len(batch)
    return values


def _read(connection: Any, column: str, asked: str) -> Iterator[Array]:
    for batch in connection.cursor().sql(f"select {column} {asked}").to_arrow_reader(BATCH):
        yield batch.column(0).to_numpy(zero_copy_only=False)


def _kind(name: str) -> Any:
    import numpy as np

    return {"BIGINT": np.int64, "UBIGINT": np.uint64}.get(name, np.float64)


def _ordered(connection: Any, table: str, names: Sequence[str], rows: int) -> list[Array]:
    with connection.cursor() as cursor:
        if rows > BLOCK:
            return [_mapped(cursor, table, names[0])]
        fetched = _values(cursor, table, names) if rows <= TOGETHER else [long_column(cursor, table, names[0])]
    for values in fetched:
        values.sort()
    return fetched


def _values(connection: Any, table: str, names: Sequence[str]) -> list[Array]:
    import numpy as np

    listed = ", ".join(f"{identifier(name)} as c{place}" for place, name in enumerate(names))
    fetched = connection.execute(f"select {listed} from {table}").fetchnumpy()
    columns = [fetched.pop(f"c{place}") for place in range(len(names))]
    return [np.array(values.compressed() if isinstance(values, np.ma.MaskedArray) else values) for values in columns]


def _mapped(connection: Any, table: str, name: str) -> Array:
    """A long column in ascending order in a mapped file: the values below the first cut, those equal to it, those up to the second, …"""
    import numpy as np

    column = identifier(name)
    asked = f"select count({column}), typeof(any_value({column})), current_setting('temp_directory') from {table}"
    filled, kind, scratch = connection.execute(asked).fetchone()
    if filled <= BLOCK:
        values = long_column(connection, table, name)
        values.sort()
        return values
    cuts = _cuts(connection, table, column, pieces=-(-filled // BLOCK))
    with tempfile.TemporaryFile(dir=scratch if scratch and Path(scratch).is_dir() else None) as file:
        for low, high in pairwise([None, *cuts, None]):
            # As long as the column: pages that are never written take no memory.
            values, place, equal = np.empty(filled, dtype=_kind(kind)), 0, 0
            for batch in _read(connection, column, f"from {table} where {column} is not null"):
                inside = batch if low is None else batch[~(batch <= low)]
                equal += 0 if high is None else int((inside == high).sum())
                inside = inside if high is None else inside[inside < high]
                values[place : place + len(inside)] = inside
                place += len(inside)
            values = values[:place]
            values.sort()
            values.tofile(file)
            for left in range(equal, 0, -BATCH):
                np.full(min(left, BATCH), high, dtype=_kind(kind)).tofile(file)
        return np.memmap(file, dtype=_kind(kind), mode="r+", shape=(filled,))


def _cuts(connection: Any, table: str, column: str, *, pieces: int) -> list[float]:
    """Different values of a sample that cut the column into pieces of about one size, at least one."""
    shares = ", ".join(f"{piece / pieces:.6f}" for piece in range(1, pieces))
    found = connection.execute(
        f"""select quantile_disc(x, [{shares}])
        from (select {column} as x from {table} where {column} is not null using sample {_SAMPLE} rows (reservoir, 7))"""
    ).fetchone()[0]
    return sorted(set(found))
