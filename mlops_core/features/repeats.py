"""Rows with equal inputs, found by sorting their digests outside the engine, which would spill so many groups to disk.

    find_repeats(connection, present, "y")     # table mlops_repeats: digest, answer, n, first

``first`` is the number of the first of ``n`` rows with this digest and answer; digests that a single row has are left out.
Memory: 8 bytes for each of `TOGETHER` rows, whatever the size of the table.
"""

# ruff: noqa: S608  every name passes typing.identifier
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.features.load import DIGEST, ROW
from mlops_core.features.ordered import long_column
from mlops_core.features.typing import identifier

if TYPE_CHECKING:
    import numpy as np

    Digests = np.ndarray[tuple[int], np.dtype[np.uint64]]

REPEATS = "mlops_repeats"
TOGETHER = 1 << 25
_ALIKE = "mlops_alike"


def find_repeats(connection: Any, present: str, target: str) -> None:
    """Make the table of the rows of ``present`` that repeat another row's inputs."""
    import pyarrow as pa

    alike, answer = _alike(connection, present), identifier(target)
    # A cursor of its own: a connection with rows still to be fetched takes no table from outside.
    with connection.cursor() as cursor:
        cursor.register(_ALIKE, pa.table({"digest": alike}))
        cursor.execute(
            f"""create table {REPEATS} as select {DIGEST} as digest, {answer} as answer, count(*) as n, min({ROW}) as first
            from {present} where {DIGEST} in (select digest from {_ALIKE}) group by 1, 2"""
        )


def _alike(connection: Any, present: str) -> Digests:
    """Digests that several rows have, a range of digests at a time."""
    import numpy as np

    rows = connection.execute(f"select count(*) from {present}").fetchone()[0]
    bits = max(0, (rows - 1) // TOGETHER).bit_length()
    found = []
    for part in range(1 << bits):
        where = f"{DIGEST} >> {64 - bits} = {part}" if bits else "true"
        values = long_column(connection, present, DIGEST, where=where)
        values.sort()
        found.append(np.unique(values[1:][values[1:] == values[:-1]]))
    return np.concatenate(found)
