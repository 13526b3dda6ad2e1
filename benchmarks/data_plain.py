"""The peer of the data job: the same transforms in DuckDB as somebody writes them who knows this one table.

    python benchmarks/data_plain.py RAW.csv OUT

Types, words for missing and categories are known beforehand; nothing is detected, judged or reported.  Read, count missing values and
repeated rows, split 64/16/20 within each class by a digest of the row, statistics of the training rows, medians for missing numbers,
one-hot categories, Parquet with the typed splits and with the features.
"""

# ruff: noqa: S608  the table and its names are ours
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb

WHOLE = ("age", "fnlwgt", "hours")
FLOATS = ("income", "ratio", "logx", "balance")
WORDS = ("workclass", "education", "relation", "race", "sex", "country")
COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "income", "ratio", "logx", "relation", "race", "sex", "hours", "country", "balance", "y",
)  # fmt: skip
QUANTILES = "[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]"


def main(raw: str, out: str) -> None:
    """Prepare the table."""
    with tempfile.TemporaryDirectory(dir=out) as scratch, duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set threads = 2; set memory_limit = '1500MB'")
        connection.execute(f"set temp_directory = '{scratch}'")
        read(connection, raw)
        split(connection, out)
        features(connection, out, learn(connection, out))


def read(connection: duckdb.DuckDBPyConnection, raw: str) -> None:
    """The typed table with row numbers and digests; missing values and repeated rows are counted."""
    kinds = dict.fromkeys(WHOLE, "BIGINT") | dict.fromkeys(FLOATS, "DOUBLE")
    typed = ", ".join(f"'{name}': '{kinds.get(name, 'VARCHAR')}'" for name in COLUMNS)
    content = ", ".join(f"chr(31), {name}" for name in COLUMNS[:-1])
    connection.execute(
        f"create table data as select *, row_number() over () as row, (md5_number(concat('42', {content})) >> 64)::ubigint as digest "
        f"from read_csv('{raw}', header = true, delim = ',', quote = '\"', auto_detect = false, nullstr = ['', '?'], columns = {{{typed}}})"
    )
    print(connection.execute(f"select count(*), {', '.join(f'count({name})' for name in COLUMNS)} from data").fetchone())
    print(connection.execute("select sum(n - 1) from (select count(*) as n from data group by digest, y having count(*) > 1)").fetchone())


def split(connection: duckdb.DuckDBPyConnection, out: str) -> None:
    """Three Parquet files cut at exact shares within each class."""
    connection.execute(
        """create table cuts as
        with ranked as (
            select y, digest, row_number() over (partition by y order by digest) as place, count(*) over (partition by y) as n from data)
        select y, max(digest) filter (where place <= n - round(n * 0.2) - round(n * 0.16)) as train_end,
               max(digest) filter (where place <= n - round(n * 0.2)) as validation_end
        from ranked group by y"""
    )
    part = "case when digest <= train_end then 'train' when digest <= validation_end then 'validation' else 'test' end"
    listed = ", ".join("d." + column for column in COLUMNS)
    for name in ("train", "validation", "test"):
        connection.execute(
            f"copy (select d.row, {listed} from data d join cuts using (y) where {part} = '{name}') "
            f"to '{out}/{name}.parquet' (format parquet, compression snappy)"
        )
    connection.execute("drop table data")


def learn(connection: duckdb.DuckDBPyConnection, out: str) -> dict[str, str]:
    """Statistics of the training rows; the fill of every column."""
    fills = {}
    table = f"read_parquet('{out}/train.parquet')"
    for name in (*WHOLE, *FLOATS):
        found = connection.execute(
            f"select count({name}), count(distinct {name}), min({name}), max({name}), avg({name}), stddev_pop({name}), "
            f"quantile_cont({name}::double, {QUANTILES}) from {table}"
        ).fetchone()
        fills[name] = repr(found[-1][3]) if found else "0"
    for name in WORDS:
        counted = connection.execute(
            f"select {name}, count(*) from {table} where {name} is not null group by 1 order by 2 desc, 1"
        ).fetchall()
        fills[name] = f"'{counted[0][0]}'"
        fills[f"{name}="] = "\t".join(value for value, _ in counted)
    return fills


def features(connection: duckdb.DuckDBPyConnection, out: str, fills: dict[str, str]) -> None:
    """Filled numbers and one-hot categories as float32, for training and validation."""
    listed = [f"coalesce({name}, {fills[name]})::float as {name}" for name in (*WHOLE, *FLOATS)]
    for name in WORDS:
        listed += [f"(coalesce({name}, {fills[name]}) = '{value}')::int::float" for value in fills[f"{name}="].split("\t")]
    for part in ("train", "validation"):
        connection.execute(
            f"copy (select row, {', '.join(listed)}, (y = '>50K')::int::double as y from read_parquet('{out}/{part}.parquet')) "
            f"to '{out}/features-{part}.parquet' (format parquet, compression snappy)"
        )


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    main(sys.argv[1], sys.argv[2])
