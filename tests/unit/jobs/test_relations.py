"""The data job measures relations on its training rows, of the columns that become features."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from tests.unit.jobs import job_files as jobs


def test_relations_are_those_of_the_training_rows_and_of_the_features(tmp_path: Path) -> None:
    table = jobs.people(400)
    table[0] += ["same", "shoe"]
    for place, row in enumerate(table[1:]):
        row += [row[3], str(36 + place % 9)]
    done = jobs.prepare(tmp_path, jobs.csv(table), drop_columns=["shoe"], audit_columns=["shoe"])
    assert done.code == 0, done.message
    found = done.profile.relations
    assert found is not None
    assert found.rows == found.of_rows == done.profile.rows["train"]
    assert {item.column for item in found.associations} == {"age", "income", "city"}
    train = duckdb.execute(f"select age, y = 'yes' as won, income from '{done.prepared}/train/data.parquet'").fetchnumpy()  # noqa: S608
    age = next(item for item in found.associations if item.column == "age")
    assert age.auc == pytest.approx(roc_auc_score(train["won"], train["age"]), abs=1e-6)
    there = ~np.ma.getmaskarray(train["income"])
    assert found.correlations[1][0] == pytest.approx(
        scipy.stats.pearsonr(train["age"][there], np.asarray(train["income"])[there]).statistic, abs=1e-6
    )
    assert "What goes with y" in (done.prepared / "quality.en.html").read_text(encoding="utf-8")


def test_a_table_whose_columns_say_nothing_has_a_page_without_bars(tmp_path: Path) -> None:
    rows = [["rare", "note", "y"], *([str(place) if place % 10 == 3 else "", f"n{place}", str(place % 2)] for place in range(120))]
    done = jobs.prepare(tmp_path, jobs.csv(rows), task="binary", positive_label="1", missing_values="constant")
    assert done.code == 0, done.message
    assert done.profile.relations is not None
    assert done.profile.relations.associations == ()
    assert "What goes with y" not in (done.prepared / "quality.en.html").read_text(encoding="utf-8")
