"""Training rows with an outlier leave the training split before anything else is fitted.

findings = drop_outliers(connection, config, numbers, folder)     # rewrites train/data.parquet below the folder; the view `train` stays
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import DataJobConfig, Finding
from mlops_core.errors import InvalidRequest
from mlops_core.features.fences import beyond, fences, inside_sql
from mlops_core.features.fit import outlier_findings
from mlops_core.features.load import PARQUET
from mlops_core.features.sql import number_of
from mlops_core.features.typing import literal
from mlops_core.jobs.data_checks import LEAST_TRAINING, answer_sql


def drop_outliers(connection: Any, config: DataJobConfig, numbers: Sequence[str], out: Path) -> list[Finding]:
    """Leave out the training rows with a number beyond the fences of all training rows; W-DATA-015 says how many by column.

    `InvalidRequest` (E-DATA-042) when fewer than ten rows, or a single value of the target, are left.
    """
    expressions = {name: number_of(name) for name in numbers}
    found = fences(connection, "train", expressions, rule=config.outlier_rule)
    counts = beyond(connection, "train", expressions, found)
    if not counts:
        return []
    kept, path = out / "train" / "kept.parquet", out / "train" / "data.parquet"
    connection.execute(f"copy (select * from train where {inside_sql(expressions, found)}) to {literal(str(kept))} ({PARQUET})")
    kept.replace(path)
    rows, answers = connection.execute(f"select count(*), count(distinct {answer_sql(config)}) from train").fetchone()
    if rows < LEAST_TRAINING or answers < 2:
        raise InvalidRequest(
            "too few training rows are left without the rows that hold an outlier.",
            remedy="Choose the outliers clip or flag, or the rule zscore.",
            code="E-DATA-042",
        )
    return outlier_findings(counts, found, config)
