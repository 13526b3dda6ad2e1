"""A small training table in DuckDB and its fit."""

# ruff: noqa: S608  the queries are the tests' own
from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from mlops_core.algorithms.gains import gains
from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.features.feeds import feeds_of, session
from mlops_core.features.fit import Fitted, fit
from mlops_core.features.graph import feature_model
from mlops_core.features.load import Column
from mlops_core.features.profile import profiles
from mlops_core.features.sql import feature_columns
from mlops_core.jobs.data_checks import judge_columns

Array = np.ndarray[Any, Any]
KINDS = {"age": "int64", "income": "float64", "debt": "float64", "twin": "float64", "at": "datetime", "city": "string", "sex": "string"}


def rows_of(count: int = 300) -> pa.Table:
    """Numbers with a few far ones, a twin of one, dates of one year, a frequent and a rare text, holes, classes that depend on them."""
    source = random.Random(7)
    listed: list[dict[str, Any]] = []
    for number in range(count):
        city = source.choices(["Oslo", "Bergen", "Molde", f"hamlet {number % 9}"], [5, 3, 2, 1])[0]
        row: dict[str, Any] = {
            "__row": number + 1, "__fold": source.randrange(5), "age": source.randrange(20, 70),
            "income": round(source.lognormvariate(7, 0.5), 2), "debt": float(source.randrange(0, 9) * 100),
            "at": 1_704_067_200.0 + 3_600 * source.randrange(0, 24 * 366), "city": city, "sex": source.choice("mf"),
        }  # fmt: skip
        row["y"] = "yes" if (row["age"] > 45) ^ (city == "Oslo") ^ (source.random() < 0.1) else "no"
        row["value"] = row["age"] * 0.1 + (3.7 if city == "Oslo" else 0.3) + source.random()
        holed = {name: None if name in KINDS and source.random() < 0.06 else value for name, value in row.items()}
        listed.append(holed | {"twin": None if holed["income"] is None else holed["income"] * 2 + 1})
    return pa.Table.from_pylist(listed)


def connected(table: pa.Table) -> Any:
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("create table train as select * from given order by __row")
    return connection


def fitted(table: pa.Table, columns: Sequence[str] = tuple(KINDS), **recipe: object) -> Fitted:
    """Fit on the rows of a table; the target is `y` (no, yes), `size` (a, b, c) or `value`, as the task goes."""
    task = recipe.get("task", "binary")
    labels = {"regression": (), "multiclass": ("a", "b", "c")}.get(str(task), ("no", "yes"))
    config = DataJobConfig.model_validate(
        {"task": task, "target": {"regression": "value", "multiclass": "size"}.get(str(task), "y")} | recipe
    )
    connection = connected(table)
    known = [
        Column(name=name, type=KINDS[name], rows=table.num_rows, missing=0, misfits=0)  # type: ignore[arg-type]
        for name in columns
    ]
    found = profiles(connection, "train", known, limit=config.one_hot_limit)
    return fit(connection, "train", judge_columns(connection, found, config), config=config, labels=labels, gains=gains)


def in_sql(columns: Sequence[tuple[str, str]], table: pa.Table) -> Array:
    """Feature expressions over the rows of a table."""
    listed = ", ".join(f"{expression} as {name}" for expression, name in columns)
    found = connected(table).execute(f"select {listed} from train order by __row").fetchnumpy()
    return np.column_stack([np.ma.filled(found[name], np.nan) for _, name in columns])


def served(done: Fitted, table: pa.Table) -> Array:
    """What the graph makes of the rows; the same as SQL."""
    found: Array = session(feature_model(done.spec)).run(None, feeds_of(table, done.spec))[0]
    np.testing.assert_array_equal(found, in_sql(feature_columns(done.spec), table))
    return found
