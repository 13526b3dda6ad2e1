"""Columns of a table in ascending order, however many rows there are.

    with ascending(connection, "train", ["age", "income"], rows=20_000_000) as columns:
        for name, values in columns:
            len(values), values[rank], values.searchsorted(50.0)
            for batch in values.batches(): ...

Up to `BLOCK` values are sorted in memory.  A longer column is sorted `BLOCK` by `BLOCK`, and these runs lie one behind the other in a
nameless file beside the engine's own temporary ones, which is mapped; a rank is found and batches are made by merging what lies between
two neighbouring values of a sample of the runs.
Memory: two blocks of 8 bytes a value, or several short columns while they stay below 64 MB together.
"""

# ruff: noqa: S608  every name passes typing.identifier
from __future__ import annotations

import mmap
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Literal

from mlops_core.features.typing import identifier

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

AHEAD = 2
BLOCK = 16_000_000
TOGETHER = 8_000_000
BATCH = 1_000_000


class Ordered:
    """Numbers in ascending order: an array whose every `BLOCK` is sorted, looked at as if all of it were; ``file`` holds long ones."""

    def __init__(self, array: Array, file: IO[bytes] | None = None) -> None:
        self._array = array
        self.file = file

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rank: int) -> Any:
        """The value at a rank; negative ranks count from the end."""
        rank %= len(self)
        if len(self) <= BLOCK:
            return self._array[rank]
        marks, lefts, rights = self._marks
        cell = int(rights.sum(axis=0).searchsorted(rank, side="right"))
        if cell < len(marks) and rank >= lefts[:, cell].sum():
            return marks[cell]
        return self._between(cell)[rank - (int(rights[:, cell - 1].sum()) if cell else 0)]

    def searchsorted(self, value: float, side: Literal["left", "right"] = "left") -> int:
        """How many values are less (``right``: or equal)."""
        return sum(int(run.searchsorted(value, side=side)) for run in self._runs())

    def batches(self) -> Iterator[Array]:
        """All values in their order, `BATCH` at a time."""
        import numpy as np

        held: list[Array] = []
        for piece in self._pieces():
            held.append(piece)
            if sum(map(len, held)) >= BATCH:
                *whole, rest = np.split(np.concatenate(held), range(BATCH, sum(map(len, held)) + 1, BATCH))
                yield from whole
                held = [rest]
        yield from filter(len, [np.concatenate(held)] if held else [])

    def to_doubles(self) -> None:
        """Make doubles of whole numbers in their own place: a search among whole numbers would copy all of them for each value."""
        import numpy as np

        if self._array.dtype == np.float64:
            return
        doubles = self._array.view(np.float64)
        for start in range(0, len(self), BATCH):
            doubles[start : start + BATCH] = self._array[start : start + BATCH].astype(np.float64)
            self._release()
        self._array = doubles
        self.__dict__.pop("_marks", None)

    def _runs(self) -> Iterator[Array]:
        for start in range(0, len(self), BLOCK):
            yield self._array[start : start + BLOCK]
            self._release()

    @cached_property
    def _marks(self) -> tuple[Array, Array, Array]:
        """Values of the runs, at most `BATCH` others between two of them, and where each begins and ends in each run."""
        import numpy as np

        count = -(-len(self) // BLOCK)
        marks = np.unique(np.concatenate([run[:: max(1, BATCH // count)].copy() for run in self._runs()]))
        lefts, rights = np.empty((2, count, len(marks)), dtype=np.int64)
        for place, run in enumerate(self._runs()):
            lefts[place], rights[place] = run.searchsorted(marks), run.searchsorted(marks, side="right")
        return marks, lefts, rights

    def _between(self, cell: int) -> Array:
        """The values between mark ``cell - 1`` and mark ``cell``, sorted."""
        import numpy as np

        _, lefts, rights = self._marks
        starts = rights[:, cell - 1] if cell else [0] * len(rights)
        ends = lefts[:, cell] if cell < lefts.shape[1] else [BLOCK] * len(lefts)
        return np.sort(np.concatenate([run[start:end] for run, start, end in zip(self._runs(), starts, ends, strict=True)]))

    def _pieces(self) -> Iterator[Array]:
        import numpy as np

        if len(self) <= BLOCK:
            yield from (self._array[start : start + BATCH] for start in range(0, len(self), BATCH))
            return
        marks, lefts, rights = self._marks
        for cell, equal in enumerate((rights - lefts).sum(axis=0)):
            yield self._between(cell)
            yield from (np.full(min(left, BATCH), marks[cell]) for left in range(int(equal), 0, -BATCH))
        yield self._between(len(marks))

    def _release(self) -> None:
        """Let go of mapped pages, which count as the process's memory."""
        mapped = getattr(self._array, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def ascending(connection: Any, table: str, names: Sequence[str], *, rows: int) -> Iterator[Iterator[tuple[str, Ordered]]]:
    """Each numeric column's values, missing left out; workers make the next ones while the caller looks at these.

    A column's values are gone when the next ones are asked for.
    """
    spare: SimpleQueue[IO[bytes]] = SimpleQueue()
    with ExitStack() as files, ThreadPoolExecutor(AHEAD) as workers:
        for _ in range(AHEAD + 1 if rows > BLOCK else 0):
            spare.put(files.enter_context(tempfile.TemporaryFile(dir=_scratch(connection))))
        together = max(1, TOGETHER // max(rows, 1))
        chunks = [names[start : start + together] for start in range(0, len(names), together)]
        yield _columns(chunks, spare, lambda chunk: workers.submit(_ordered, connection, table, chunk, rows, spare))


def _columns(
    chunks: Sequence[Sequence[str]], spare: SimpleQueue[IO[bytes]], submit: Callable[[Sequence[str]], Future[list[Ordered]]]
) -> Iterator[tuple[str, Ordered]]:
    pending = deque(submit(chunk) for chunk in chunks[:AHEAD])
    for place, chunk in enumerate(chunks, start=AHEAD):
        for name, values in zip(chunk, pending.popleft().result(), strict=True):
            yield name, values
            if values.file is not None:
                spare.put(values.file)
            del values
        if place < len(chunks):
            pending.append(submit(chunks[place]))


def _scratch(connection: Any) -> str | None:
    found = connection.execute("select current_setting('temp_directory')").fetchone()[0]
    return found if found and Path(found).is_dir() else None


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


def _ordered(connection: Any, table: str, names: Sequence[str], rows: int, spare: SimpleQueue[IO[bytes]]) -> list[Ordered]:
    with connection.cursor() as cursor:
        if rows > BLOCK:
            return [_mapped(cursor, table, names[0], spare.get())]
        fetched = _values(cursor, table, names) if rows <= TOGETHER else [long_column(cursor, table, names[0])]
    for values in fetched:
        values.sort()
    return [Ordered(values) for values in fetched]


def _values(connection: Any, table: str, names: Sequence[str]) -> list[Array]:
    import numpy as np

    listed = ", ".join(f"{identifier(name)} as c{place}" for place, name in enumerate(names))
    fetched = connection.execute(f"select {listed} from {table}").fetchnumpy()
    columns = [fetched.pop(f"c{place}") for place in range(len(names))]
    return [np.array(values.compressed() if isinstance(values, np.ma.MaskedArray) else values) for values in columns]


def _mapped(connection: Any, table: str, name: str, file: IO[bytes]) -> Ordered:
    """A long column, sorted block by block into a file that may hold another: pages that are in memory already are written quickest."""
    import numpy as np

    column = identifier(name)
    filled, kind = connection.execute(f"select count({column}), typeof(any_value({column})) from {table}").fetchone()
    run, place = np.empty(min(filled, BLOCK), dtype=_kind(kind)), 0
    file.seek(0)
    for batch in _read(connection, column, f"from {table} where {column} is not null"):
        start = 0
        while start < len(batch):
            if place == len(run):
                run.sort()
                run.tofile(file)
                place = 0
            part = batch[start : start + len(run) - place]
            run[place : place + len(part)] = part
            place, start = place + len(part), start + len(part)
    run[:place].sort()
    if filled <= BLOCK:
        return Ordered(run, file)
    run[:place].tofile(file)
    return Ordered(np.memmap(file, dtype=_kind(kind), mode="r+", shape=(filled,)), file)
