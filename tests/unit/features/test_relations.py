"""Associations and correlations are those of scipy, scikit-learn and the papers, on ordinary tables and on awkward ones."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
import scipy.stats
import scipy.stats.contingency
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import roc_auc_score

from mlops_core.contracts.dataset import ColumnProfile, ColumnType, DataJobConfig
from mlops_core.features.checks.sample import Array, Rows, draw, grouped, target_code
from mlops_core.features.relations import associations, auc, correlations, cramers_v, eta, related, rows_for, spearman

N = 500
CELLS = st.one_of(st.floats(allow_nan=True, allow_infinity=False), st.sampled_from([0.0, 1.0, -0.0, 1e308, -1e308, 5e-324, math.nan]))
BINARY = DataJobConfig(task="binary", target="y")


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(11)


def rows(target: Array, *, regression: bool = False, texts: tuple[str, ...] = (), **columns: Array) -> Rows:
    made = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    return Rows(made, np.asarray(target, dtype=np.float64), np.arange(len(target)), len(target), frozenset(texts), regression=regression)


def profiles(*names: str, kind: ColumnType = "float64", dropped: str = "") -> list[ColumnProfile]:
    return [ColumnProfile(name=name, type=kind, rows=N, missing=0, distinct=9, dropped=dropped) for name in names]


def test_rank_correlation_with_ties_is_scipy_s(dice: np.random.Generator) -> None:
    x = dice.integers(0, 9, N).astype(float)
    y = -x + dice.integers(0, 6, N)
    assert spearman(x, grouped(y)[1]) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)


def test_two_groups_give_the_point_biserial_correlation_less_chance(dice: np.random.Generator) -> None:
    group = dice.integers(0, 2, N)
    values = dice.normal(group * 0.7, 1)
    r = scipy.stats.pointbiserialr(group, values).statistic
    assert eta(group, values) == pytest.approx(math.sqrt(1 - (1 - r**2) * (N - 1) / (N - 2)), abs=1e-12)


def test_several_groups_give_the_analysis_of_variance_s_ratio_less_chance(dice: np.random.Generator) -> None:
    group = dice.integers(0, 7, N)
    values = dice.normal((group % 3) * 5.0, 2)
    f = scipy.stats.f_oneway(*(values[group == place] for place in range(7))).statistic
    between, within = f * 6, N - 7
    assert eta(group, values) == pytest.approx(math.sqrt(1 - (1 - between / (between + within)) * (N - 1) / (N - 7)), abs=1e-12)


def test_two_categories_give_cramer_s_v_as_bergsma_corrects_it(dice: np.random.Generator) -> None:
    left = dice.integers(0, 5, N)
    right = np.where(dice.random(N) < 0.4, left % 3, dice.integers(0, 3, N))
    table = np.zeros((5, 3))
    np.add.at(table, (left, right), 1)
    phi = scipy.stats.chi2_contingency(table, correction=False).statistic / N
    corrected = max(0.0, phi - (5 - 1) * (3 - 1) / (N - 1))
    k, r = 3 - (3 - 1) ** 2 / (N - 1), 5 - (5 - 1) ** 2 / (N - 1)
    assert cramers_v(left, right) == pytest.approx(math.sqrt(corrected / min(k - 1, r - 1)), abs=1e-12)


def test_chance_gives_many_groups_nothing(dice: np.random.Generator) -> None:
    many, values, classes = np.arange(N) // 3, dice.normal(size=N), dice.integers(0, 2, N)
    table = np.zeros((many.max() + 1, 2))
    np.add.at(table, (many, classes), 1)
    assert scipy.stats.contingency.association(table.astype(int), method="cramer") > 0.5
    assert cramers_v(many, classes) == pytest.approx(0, abs=0.25)
    assert eta(many, values) == pytest.approx(0, abs=0.25)


def test_the_area_under_the_curve_with_ties_is_scikit_learn_s(dice: np.random.Generator) -> None:
    positive = dice.random(N) < 0.2
    values = np.round(dice.normal(positive * 1.0, 1), 1)
    assert auc(values, positive) == pytest.approx(roc_auc_score(positive, values), abs=1e-6)


def test_correlations_of_columns_with_holes_are_those_of_the_rows_that_hold_both(dice: np.random.Generator) -> None:
    base = dice.normal(1e6, 3, N)
    columns = [base, base + dice.normal(0, 1, N), dice.normal(size=N) * 1e-9]
    for place, values in enumerate(columns):
        values[dice.random(N) < 0.1 * place] = np.nan
    found, both = correlations(columns)
    for left in range(3):
        for right in range(3):
            there = ~np.isnan(columns[left]) & ~np.isnan(columns[right])
            assert both[left, right] == there.sum()
            expected = scipy.stats.pearsonr(columns[left][there], columns[right][there]).statistic
            assert found[left, right] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("regression", [True, False])
def test_what_ten_rows_do_not_say_or_what_never_varies_is_left_out(regression: bool) -> None:
    target = np.arange(40.0) % 2
    few = np.where(np.arange(40) < 9, np.arange(40.0), np.nan)
    key = np.arange(40.0)
    train = rows(target, regression=regression, texts=("word", "key"), few=few, same=np.full(40, 0.1), word=np.ones(40), key=key)
    assert associations(train, list(train.columns), positive=None if regression else 1.0) == []


def test_nine_rows_of_a_class_have_no_area(dice: np.random.Generator) -> None:
    values = dice.normal(size=60)
    assert auc(values, np.arange(60) < 9) is None
    assert auc(values, np.arange(60) < 10) is not None


@pytest.mark.parametrize("function", [eta, cramers_v])
def test_one_row_one_group_and_a_value_a_group_say_nothing(function: object) -> None:
    assert callable(function)
    assert function(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)) is None
    assert function(np.zeros(30, dtype=np.int64), np.arange(30)) is None
    assert function(np.arange(30), np.arange(30)) is None


def test_a_copy_in_other_words_is_whole_and_the_strongest_stands_first(dice: np.random.Generator) -> None:
    y = dice.integers(0, 3, N).astype(float)
    train = rows(y, texts=("words",), noise=dice.normal(size=N), words=y * 7 + 2, number=y)
    found = associations(train, list(train.columns), positive=None)
    assert [item.column for item in found] == ["number", "words", "noise"]
    assert found[0].value == found[1].value == 1.0


def test_missing_values_are_left_out_and_counted(dice: np.random.Generator) -> None:
    y = dice.normal(size=N)
    x = np.where(dice.random(N) < 0.3, np.nan, -(y**3))
    found = associations(rows(y, regression=True, x=x), ["x"], positive=None)[0]
    assert (found.value, found.rows) == (-1.0, int((~np.isnan(x)).sum()))


def test_near_twins_are_named_and_dropped_columns_are_not_asked(dice: np.random.Generator) -> None:
    y = dice.integers(0, 2, N).astype(float)
    length = dice.normal(y, 1)
    train = rows(y, metres=length, feet=-length * 3.28, other=dice.normal(size=N), gone=length)
    asked = [*profiles("metres", "feet", "other"), *profiles("gone", dropped="constant")]
    found = related(None, train, asked, config=DataJobConfig(task="multiclass", target="y"), labels=("a", "b"))
    assert [(pair.left, pair.right, pair.r) for pair in found.pairs] == [("feet", "metres", -1.0)]
    assert found.pair_count == 1
    assert found.columns == ("feet", "metres", "other")
    assert [len(line) for line in found.correlations] == [0, 1, 2]
    assert found.associations[0].auc is None


def test_one_numeric_column_has_no_matrix(dice: np.random.Generator) -> None:
    train = rows(np.arange(N) % 2, x=dice.normal(size=N))
    with duckdb.connect() as connection:
        found = related(connection, train, profiles("x"), config=BINARY, labels=("0.0", "1.0"))
    assert (found.columns, found.correlations, found.rows) == ((), (), N)


@settings(max_examples=80, deadline=None)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(2, 5)), elements=CELLS), st.booleans(), st.booleans())
def test_any_table_is_answered_with_figures_in_their_range(table: Array, regression: bool, text: bool) -> None:
    columns = {f"c{place}": table[:, place] for place in range(table.shape[1] - 1)}
    target = np.nan_to_num(table[:, -1]) if regression else np.nan_to_num(table[:, -1]).clip(0, 3).round()
    train = rows(target, regression=regression, texts=("c0",) if text else (), **columns)
    config = DataJobConfig(task="regression" if regression else "multiclass", target="y")
    found = related(None, train, profiles(*columns), config=config, labels=())
    assert all(item.rows >= 10 for item in found.associations)
    assert all(item.value >= 0 or item.measure == "spearman" for item in found.associations)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=10, max_size=60))
def test_small_whole_numbers_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert spearman(x, grouped(y)[1]) is None
        assert math.isnan(correlations([x, y])[0][0, 1])
        return
    assert spearman(x, grouped(y)[1]) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-9)
    assert correlations([x, y])[0][0, 1] == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=1e-9)


@pytest.mark.parametrize(("total", "most"), [(9_000, 9_000), (60_000, 50_000), (300_000, 50_000)])
def test_a_longer_draw_holds_the_rows_of_the_checks(total: int, most: int) -> None:
    asked = [*profiles("x"), *profiles("word", kind="string")]
    config = DataJobConfig(task="regression", target="y")
    with duckdb.connect() as connection:
        connection.execute(
            f"""create table train as select i as __row, i * 0.5 as y, i % 97 as x, 'w' || i % 5 as word
            from range(1, {total + 1}) t(i)"""  # noqa: S608  a number of ours
        )
        long = draw(connection, "train", asked, config, most=rows_for(2))
        own = draw(connection, "train", asked, config)
    assert len(long) == pytest.approx(most, rel=0.01)
    short = long.thinned()
    assert np.array_equal(short.numbers, own.numbers)
    assert np.array_equal(short.target, own.target)
    assert all(np.array_equal(short.columns[name], own.columns[name]) for name in own.columns)


@pytest.mark.parametrize("named", ["yes", None])
def test_the_class_of_the_area_is_the_positive_one(named: str | None) -> None:
    config = DataJobConfig(task="binary", target="y", positive_label=named)
    with duckdb.connect() as connection:
        connection.execute(
            "create table train as select i as __row, i as x, case when i > 50 then 'yes' else 'no' end as y from range(100) t(i)"
        )
        train = draw(connection, "train", profiles("x"), config)
        code = target_code(connection, config, "yes")
        found = related(connection, train, profiles("x"), config=config, labels=("no", "yes"))
    assert (train.target == code).sum() == 49
    assert found.associations[0].auc == 1.0


@pytest.mark.parametrize(("columns", "rows"), [(1, 50_000), (19, 50_000), (40, 24_390), (500, 10_000), (10_000, 10_000)])
def test_wide_tables_are_looked_at_on_fewer_rows_and_on_those_of_the_checks_at_least(columns: int, rows: int) -> None:
    assert rows_for(columns) == rows
