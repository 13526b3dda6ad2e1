"""Which row belongs to which part: decided by content, by time or by group, never by chance.

    rule = decide(connection, Plan(split="stratified", by="income", …))      # needs the table ``data`` of the job
    f"select data.*, {rule.part} as part from data {rule.join}"              # 'train' | 'validation' | 'test', null: left out (gap)

- ``random`` and ``stratified``: rows are ordered by digest (of seed and content, see `load`) and cut at the exact count, stratified
  within each class.  Rows with equal content have equal digests and stay together on the earlier side of the cut.  Adding n rows takes at
  most n different old rows across each cut (decision 0019).  Training comes first, so a class of a single row is trained on.
- ``time``: rows in the order of the time column, or of the file; equal times stay together on the earlier side.  ``gap`` rows before each
  later part are left out, and rows without a time.
- ``group``: whole groups in the order of a digest of seed and value; a group goes where its middle row falls, so each cut is off by at
  most half of one group.  No part stays empty while another has two groups.  Rows without a value are one group.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_core.contracts.request import SplitName
from mlops_core.errors import InvalidRequest
from mlops_core.features.load import DIGEST, ROW
from mlops_core.features.typing import identifier, literal

CUTS = "mlops_cuts"
GROUPS = "mlops_groups"
_INLINE_CLASSES = 40
_BUCKET_ROWS = 65_536


@dataclass(frozen=True)
class Plan:
    """The split asked for; shares are of all rows and training is the rest.  ``by`` is the stratum, the time or the group column."""

    split: SplitName
    validation: float
    test: float
    by: str | None = None
    gap: int = 0
    seed: int = 42


@dataclass(frozen=True)
class Rule:
    """The part of each row of ``data`` as SQL: an expression, and the join that it needs; counts of rows that get none.

    A join brings columns of its own: what is selected beside it must say ``data.column``.
    """

    part: str
    join: str = ""
    in_gap: int = 0
    without_time: int = 0
    groups: int = 0


def decide(connection: Any, plan: Plan) -> Rule:
    """The rule for the rows of ``data``; `InvalidRequest` (E-DATA-018) when there are fewer groups or times than parts."""
    if plan.split == "time":
        return _by_time(connection, plan)
    if plan.split == "group":
        return _by_group(connection, plan)
    return _by_digest(connection, plan)


def _by_digest(connection: Any, plan: Plan) -> Rule:
    """Cuts of every stratum: counts per range of digests first, then an exact order within the one range where a cut falls."""
    stratum = identifier(plan.by) if plan.by else "''"
    rows = connection.execute("select count(*) from data").fetchone()[0]
    shift = 64 - min(16, max(1, (rows // _BUCKET_ROWS).bit_length()))
    wanted = connection.execute(
        f"""with counted as (select {stratum} as stratum, {DIGEST} >> {shift} as bucket, count(*) as n from data group by 1, 2),
        summed as (
            select stratum, bucket, n, sum(n) over (partition by stratum) as total,
                   sum(n) over (partition by stratum order by bucket) - n as before from counted),
        sized as (
            select *, cast(round(total * {plan.test!r}) as bigint) as n_test, cast(round(total * {plan.validation!r}) as bigint) as n_val
            from summed),
        ranked as (
            select *, greatest(total - n_test - n_val, 1) as first, greatest(total - n_test, 1) as second from sized)
        select stratum, bucket, first - before as place, 1 as cut from ranked where first > before and first <= before + n
        union all
        select stratum, bucket, second - before, 2 from ranked where second > before and second <= before + n"""
    ).fetchall()
    # As constants: against a table of them the engine may keep every row of the data and look the few places up.
    places = ", ".join(f"({literal(stratum)}, {bucket}::ubigint, {place}, {cut})" for stratum, bucket, place, cut in wanted)
    ranges = ", ".join(str(bucket) for bucket in sorted({bucket for _, bucket, _, _ in wanted}))
    connection.execute(
        f"""create or replace temp table {CUTS} as
        with wanted (stratum, bucket, place, cut) as (values {places}),
        placed as (
            select {stratum} as stratum, {DIGEST} >> {shift} as bucket, {DIGEST} as digest,
                   row_number() over (partition by {stratum}, {DIGEST} >> {shift} order by {DIGEST}) as place
            from data where {DIGEST} >> {shift} in ({ranges}))
        select stratum, max(digest) filter (where cut = 1) as train_end, max(digest) filter (where cut = 2) as validation_end
        from placed join wanted using (stratum, bucket, place) group by stratum order by stratum"""
    )
    cuts = connection.execute(f"select * from {CUTS}").fetchall()
    if len(cuts) > _INLINE_CLASSES:
        return Rule(_part(f"{DIGEST} <= c.train_end", f"{DIGEST} <= c.validation_end"), f"join {CUTS} c on c.stratum = data.{stratum}")
    ends = [f"(case {stratum} {' '.join(f'when {literal(cut[0])} then {cut[place]}::ubigint' for cut in cuts)} end)" for place in (1, 2)]
    return Rule(_part(*(f"{DIGEST} <= {end}" for end in ends)))


def _by_time(connection: Any, plan: Plan) -> Rule:
    key = identifier(plan.by) if plan.by else ROW
    total, missing = connection.execute(f"select count({key}), count(*) - count({key}) from data").fetchone()
    n_test, n_validation = round(total * plan.test), round(total * plan.validation)
    first = _last_of(connection, key, max(total - n_test - n_validation, 1))
    second = _last_of(connection, key, max(total - n_test, 1)) if plan.test else total
    if not first < second or (plan.test and second >= total):
        raise InvalidRequest(
            f"the time column {plan.by!r} has too few different times to cut {total:,} rows into parts.",
            remedy="Choose another time column or another split.", code="E-DATA-018",
        )  # fmt: skip
    kept = [max(first - plan.gap, 0), max(second - (plan.gap if plan.test else 0), first)]
    ends = [_pair(connection, key, place) for place in (kept[0], first, kept[1], second)]
    order = f"({key}, {ROW})"
    below = [f"{order} <= ({literal_of(value)}, {row})" if row else "false" for value, row in ends]
    part = (
        f"case when {key} is null then null when {below[0]} then 'train' when {below[1]} then null when {below[2]} then 'validation' "
        f"when {below[3]} then null else 'test' end"
    )
    return Rule(part, in_gap=first - kept[0] + second - kept[1], without_time=missing)


def _last_of(connection: Any, key: str, place: int) -> int:
    """The place of the last row whose key equals that of the row at ``place`` (1 is the earliest)."""
    value = _pair(connection, key, place)[0]
    found = connection.execute(f"select count(*) from data where {key} <= {literal_of(value)}").fetchone()
    return int(found[0])


def _pair(connection: Any, key: str, place: int) -> tuple[Any, int]:
    """Key and row number at a place of the order; row 0 below the first."""
    if place < 1:
        return 0, 0
    found = connection.execute(
        f"select {key}, {ROW} from data where {key} is not null order by {key}, {ROW} limit 1 offset {place - 1}"
    ).fetchone()
    return found[0], int(found[1])


def literal_of(value: Any) -> str:
    """A key's value as SQL that keeps every bit."""
    if isinstance(value, str):
        return literal(value)
    return f"cast({literal(repr(value))} as double)" if isinstance(value, float) else str(value)


def _by_group(connection: Any, plan: Plan) -> Rule:
    value = f"coalesce(cast(data.{identifier(plan.by or '')} as varchar), '')"
    connection.execute(
        f"""create or replace temp table {GROUPS} as
        with counted as (select {value} as value, count(*) as n from data group by 1),
        ordered as (select value, n, md5_number(concat('{plan.seed}', chr(31), value)) as place from counted),
        summed as (select *, (sum(n) over (order by place) - n / 2.0) / sum(n) over () as middle from ordered)
        select value, n, place, case when middle <= {1 - plan.validation - plan.test!r} then 'train'
               when middle <= {1 - plan.test!r} then 'validation' else 'test' end as part from summed"""
    )
    groups = connection.execute(f"select count(*) from {GROUPS}").fetchone()[0]
    wanted = ["train", "validation", *(["test"] if plan.test else [])]
    if groups < len(wanted):
        raise InvalidRequest(
            f"the group column {plan.by!r} holds {groups} groups; at least {len(wanted)} are needed, one for each part.",
            remedy="Choose another group column or another split.", code="E-DATA-018",
        )  # fmt: skip
    for part in wanted:
        _fill(connection, part)
    return Rule("g.part", f"join {GROUPS} g on g.value = {value}", groups=groups)


def _fill(connection: Any, part: str) -> None:
    """Give an empty part the smallest group of the part that has most groups."""
    if connection.execute(f"select count(*) from {GROUPS} where part = '{part}'").fetchone()[0]:
        return
    connection.execute(
        f"""update {GROUPS} set part = '{part}' where value = (
            select value from {GROUPS} where part = (select part from {GROUPS} group by part order by count(*) desc, part limit 1)
            order by n, place limit 1)"""
    )


def _part(train: str, validation: str) -> str:
    return f"case when {train} then 'train' when {validation} then 'validation' else 'test' end"
