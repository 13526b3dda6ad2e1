"""The expectation suite of a preparation, in the format of great-expectations 1.x.

    document = expectations(config, spec, columns)              # JSON that ExpectationSuite(**document) loads
    ran = carried_out(document, connection, seed=42, names=names, scratch=scratch)
    python -m mlops_core.jobs.suite FOLDER                      # what carries it out

In a process of its own, because great-expectations takes 6 to 10 s to import and 350 MB.

Generated from the training profile alone, so that later data can be held against it anywhere.  The sample is chosen by a digest of seed and
row number: at most 100,000 rows, the same in every run.
"""

# ruff: noqa: S608  every name passes typing.identifier
from __future__ import annotations

import importlib.metadata
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, FeatureSpec, Finding
from mlops_core.contracts.quality import MissedExpectation, SuiteRun
from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.features.load import ROW
from mlops_core.features.typing import identifier, literal

FORMAT = "1.24.1"
"""The version of great-expectations whose format is written."""
SAMPLE_ROWS = 100_000
SECONDS = 600
MOST_LISTED = 100
_MOSTLY = 0.99
_MISSING_ROOM = 0.1
_MOST_MISSED = 200
Document = dict[str, Any]


def expectations(config: DataJobConfig, spec: FeatureSpec, columns: Sequence[ColumnProfile]) -> Document:
    """The suite: columns and target are critical, missing shares, ranges, medians and categories warn."""
    names = [*(item.name for item in columns), config.target]
    target = config.target
    rules = [
        _rule("expect_table_columns_to_match_set", {"column_set": names, "exact_match": True}, critical=True),
        _rule("expect_column_values_to_not_be_null", {"column": target}, critical=True),
    ]
    if spec.labels and len(spec.labels) <= MOST_LISTED and f"not {config.positive_label}" not in spec.labels:
        rules.append(_rule("expect_column_values_to_be_in_set", {"column": target, "value_set": list(spec.labels)}, critical=True))
    for item in columns:
        rules += _of_column(item)
    meta = {"great_expectations_version": FORMAT, "generated_from": "the profile of the training rows"}
    return {"name": "prepared", "expectations": rules, "meta": meta}


def _of_column(item: ColumnProfile) -> list[Document]:
    column = {"column": item.name}
    room = math.floor(100 * (1 - item.missing / item.rows - _MISSING_ROOM)) / 100
    rules = [_rule("expect_column_values_to_not_be_null", column | {"mostly": room})] if room > 0 else []
    if item.minimum is not None and item.maximum is not None:
        bounds = {"min_value": item.minimum, "max_value": item.maximum}
        rules.append(_rule("expect_column_values_to_be_between", column | bounds | {"mostly": _MOSTLY}))
        if len(item.quantiles) == 7:
            middle = {"min_value": item.quantiles[2], "max_value": item.quantiles[4]}
            rules.append(_rule("expect_column_median_to_be_between", column | middle))
    elif item.categories and len(item.categories) == item.distinct and item.distinct <= MOST_LISTED:
        values = [value for value, _ in item.categories]
        rules.append(_rule("expect_column_values_to_be_in_set", column | {"value_set": values, "mostly": _MOSTLY}))
    return rules


def _rule(name: str, arguments: Mapping[str, Any], *, critical: bool = False) -> Document:
    return {"type": name, "kwargs": dict(arguments), "meta": {}, "severity": "critical" if critical else "warning"}


def written(document: Document) -> SuiteRun:
    """A suite that was written and not carried out."""
    return SuiteRun(expectations=len(document["expectations"]), version=FORMAT)


def carried_out(document: Document, connection: Any, *, seed: int, names: Sequence[str], scratch: Path) -> SuiteRun:
    """What a sample of all splits says to the suite; `InvalidRequest` (E-QUALITY-002) where great-expectations is not installed."""
    version = _installed()
    folder = scratch / "suite"
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    listed = ", ".join(identifier(name) for name in names)
    every = " union all ".join(f"select {ROW}, {listed} from {part}" for part in ("train", "validation", "test"))
    of_rows = connection.execute(f"select count(*) from ({every})").fetchone()[0]
    place = literal(str(folder / "sample.parquet"))
    connection.execute(f"copy (select {listed} from ({every}) where {sampled(of_rows, seed)}) to {place} (format parquet)")
    (folder / "expectations.json").write_text(json.dumps(document), encoding="utf-8")
    _child(folder)
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    missed = tuple(MissedExpectation.model_validate(item) for item in found["missed"][:_MOST_MISSED])
    return SuiteRun(
        expectations=len(document["expectations"]), executed=True, version=version, rows=found["rows"], of_rows=of_rows, seed=seed,
        passed=found["passed"], missed=missed, seconds=round(time.monotonic() - started, 3),
    )  # fmt: skip


def sampled(rows: int, seed: int) -> str:
    """A rule that keeps at most 100,000 of ``rows`` rows (98 % of that is aimed at, 6 deviations below), the same ones in every run."""
    if rows <= SAMPLE_ROWS:
        return "true"
    keep = int(2**32 * 0.98 * SAMPLE_ROWS / rows)
    return f"md5_number_lower('{seed}:' || {ROW}) % {2**32} < {keep}"


def _installed() -> str:
    try:
        return importlib.metadata.version("great-expectations")
    except importlib.metadata.PackageNotFoundError as error:
        raise InvalidRequest(
            "the policy asks to carry out the expectation suite, and this image holds no great-expectations.",
            remedy="Build the work image with the quality extra, or take `data_suite: run` out of the policy.",
            code="E-QUALITY-002",
        ) from error


def _child(folder: Path) -> None:
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", "mlops_core.jobs.suite", str(folder)]
    try:
        subprocess.run(command, check=True, env=environment, timeout=SECONDS, capture_output=True, text=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        last = str(error.stderr or "").strip().splitlines()[-1:] or ["no words"]
        raise JobFailed(f"the expectation suite could not be carried out: {last[0][:300]}", code="E-QUALITY-003") from error


def findings(ran: SuiteRun) -> list[Finding]:
    """One warning for everything that the sample missed."""
    if not ran.missed:
        return []
    columns = tuple(dict.fromkeys(item.column for item in ran.missed if item.column))
    return [
        Finding(code="W-QUALITY-004", columns=columns[:20], values={"count": len(ran.missed), "of": ran.expectations, "rows": ran.rows})
    ]


def validate(folder: Path) -> Document:
    """Carry out ``expectations.json`` on ``sample.parquet`` with great-expectations; counts, and no value of the data."""
    import great_expectations
    import pandas as pd

    table = pd.read_parquet(folder / "sample.parquet")
    suite = great_expectations.ExpectationSuite(**json.loads((folder / "expectations.json").read_text(encoding="utf-8")))
    context = great_expectations.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("prepared").add_dataframe_asset("sample")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    results = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0}).to_json_dict()["results"]
    return {
        "rows": len(table),
        "passed": sum(1 for item in results if item["success"]),
        "missed": [_missed(item) for item in results if not item["success"]],
    }


def _missed(item: Mapping[str, Any]) -> Document:
    config = item["expectation_config"]
    percent = item["result"].get("unexpected_percent")
    return {
        "type": config["type"], "column": str(config["kwargs"].get("column", "")), "critical": config.get("severity") == "critical",
        "share": None if percent is None else percent / 100,
    }  # fmt: skip


if __name__ == "__main__":
    place = Path(sys.argv[1])
    (place / "results.json").write_text(json.dumps(validate(place)), encoding="utf-8")
