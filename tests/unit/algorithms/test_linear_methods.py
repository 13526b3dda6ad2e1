"""Linear and logistic regression: the reference's optimum, exact on ill-conditioned data, the same in ONNX, the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.algorithms.fitting import Array, FitTask, measure
from mlops_core.algorithms.least_squares import factor, sliced, solve, standardise
from mlops_core.algorithms.linear_regression import unscaled
from mlops_core.contracts.request import Task
from mlops_core.errors import InvalidRequest
from tests.unit.algorithms.fitted import fit, graph_scores, rows_of, task_of

LINEAR: list[tuple[str, Task]] = [
    ("linear_regression", "regression"), ("logistic_regression", "binary"), ("logistic_regression", "multiclass"),
]  # fmt: skip
LONGLEY = """60323 83.0 234289 2356 1590 107608 1947
61122 88.5 259426 2325 1456 108632 1948
60171 88.2 258054 3682 1616 109773 1949
61187 89.5 284599 3351 1650 110929 1950
63221 96.2 328975 2099 3099 112075 1951
63639 98.1 346999 1932 3594 113270 1952
64989 99.0 365385 1870 3547 115094 1953
63761 100.0 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955
67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957
66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959
69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961
70551 116.9 554894 4007 2827 130081 1962"""
CERTIFIED = (-3482258.63459582, 15.0618722713733, -0.358191792925910e-1, -2.02022980381683, -1.03322686717359, -0.511041056535807e-1,
             1829.15146461355)  # fmt: skip
"""NIST Statistical Reference Datasets, Longley: constant and six coefficients."""


def _task(folder: Path, method: str, task: Task, **changed: Any) -> tuple[FitTask, Array]:
    train, validation = rows_of(task, 600, seed=1), rows_of(task, 1000, seed=2)
    return task_of(folder, method, task, train=train, validation=validation, **changed), validation[0]


def _line(matrix: Array, target: Array, **penalty: float) -> tuple[Array, float]:
    pieces = sliced(matrix, target)
    standard = standardise(pieces)
    model = unscaled(solve(factor(pieces, standard), rows=len(target), **penalty), standard)
    return model.weights[:, 0], float(model.constants[0])


@pytest.mark.parametrize(("method", "task"), LINEAR)
def test_the_graph_scores_as_the_training_process_does(tmp_path: Path, method: str, task: Task) -> None:
    asked, matrix = _task(tmp_path, method, task)
    fitted = fit(method, asked)
    scores = graph_scores(fitted, matrix)
    assert scores.shape == fitted.scores.shape
    assert np.max(np.abs(scores - fitted.scores) / np.maximum(1, np.abs(fitted.scores))) <= 1e-7
    np.testing.assert_array_equal(scores[:1], graph_scores(fitted, matrix[:1]))


@pytest.mark.parametrize(("method", "task"), LINEAR)
def test_fits_give_one_weights_digest_on_any_number_of_threads(tmp_path: Path, method: str, task: Task) -> None:
    digests = {fit(method, _task(tmp_path / str(number), method, task, threads=number)[0]).weights_digest for number in (1, 2)}
    assert len(digests) == 1


def test_longley_has_its_certified_coefficients() -> None:
    table = np.array([[float(word) for word in line.split()] for line in LONGLEY.splitlines()])
    weights, constant = _line(table[:, 1:], table[:, 0])
    np.testing.assert_allclose([constant, *weights], CERTIFIED, rtol=1e-9)


def test_diabetes_has_the_published_coefficients() -> None:
    from sklearn.datasets import load_diabetes

    matrix, target = load_diabetes(return_X_y=True)
    weights, constant = _line(matrix[:-20, 2:3], target[:-20])
    error = matrix[-20:, 2] * weights[0] + constant - target[-20:]
    assert weights[0] == pytest.approx(938.23786125, abs=1e-6)
    assert (error**2).mean() == pytest.approx(2548.07239873, abs=1e-6)
    whole, constant = _line(matrix, target)
    fitted = matrix @ whole + constant
    assert 1 - ((target - fitted) ** 2).sum() / ((target - target.mean()) ** 2).sum() == pytest.approx(0.51774842, abs=1e-8)


@pytest.mark.parametrize(("alpha", "share"), [(0.0, 0.0), (0.1, 0.0), (0.02, 1.0), (0.05, 0.5)])
def test_penalised_lines_are_those_of_the_reference(alpha: float, share: float) -> None:
    from sklearn.linear_model import ElasticNet, LinearRegression, Ridge

    source = np.random.default_rng(5)
    matrix = source.normal(size=(5000, 8)) * [1, 10, 100, 1, 1, 1e-3, 1, 1] + 50
    matrix[:, 4] = matrix[:, 3] + source.normal(size=5000) * 0.1
    target = matrix @ source.normal(size=8) + source.normal(size=5000) * 20 + 1e6
    weights, constant = _line(matrix, target, alpha=alpha, l1_ratio=share)
    scaled, own = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0), (target - target.mean()) / target.std()
    if alpha == 0:
        reference: Any = LinearRegression()
    else:
        reference = ElasticNet(alpha=alpha, l1_ratio=share, tol=1e-10, max_iter=50_000) if share else Ridge(alpha=alpha * len(target))
    expected = reference.fit(scaled, own).coef_ * target.std() / matrix.std(axis=0)
    np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())
    assert constant == pytest.approx(target.mean() - matrix.mean(axis=0) @ expected, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 80), st.integers(1, 6), st.integers(0, 2**31), st.integers(1, 40))
def test_pieces_of_any_size_give_the_line_of_all_rows_at_once(rows: int, width: int, seed: int, piece: int) -> None:
    source = np.random.default_rng(seed)
    matrix, target = source.normal(size=(rows, width)) * 7 + 3, source.normal(size=rows)
    blocks = [(matrix[start : start + piece], target[start : start + piece]) for start in range(0, rows, piece)]
    found, whole = standardise(lambda: blocks), standardise(lambda: [(matrix, target)])
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.scale, whole.scale, rtol=1e-8, atol=1e-10)
    fitted = unscaled(solve(factor(lambda: blocks, found), rows=rows), found).margins(matrix)[:, 0]
    best = np.linalg.lstsq(np.column_stack([np.ones(rows), matrix]), target, rcond=None)[0]
    np.testing.assert_allclose(fitted, best[0] + matrix @ best[1:], atol=1e-6)


def test_columns_that_say_the_same_share_their_weight_and_constant_ones_have_none() -> None:
    source = np.random.default_rng(6)
    one = source.normal(size=(300, 1))
    weights, constant = _line(np.hstack([one, one, np.full((300, 1), 0.1)]), 4 * one[:, 0] + 9)
    np.testing.assert_allclose(weights, [2, 2, 0], atol=1e-12)
    assert constant == pytest.approx(9)


@pytest.mark.parametrize(
    ("task", "balance"), [("binary", "none"), ("binary", "balanced"), ("multiclass", "none"), ("multiclass", "balanced")]
)
def test_the_logistic_optimum_is_that_of_the_reference(tmp_path: Path, task: Task, balance: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    asked, matrix = _task(tmp_path, "logistic_regression", task, class_weight=balance, C=0.3)
    fitted = fit("logistic_regression", asked)
    train, target = asked.train.dense()
    scaler = StandardScaler().fit(train.astype(np.float64))
    weights = None if balance == "none" else "balanced"
    reference = LogisticRegression(C=0.3, tol=1e-12, max_iter=10_000, class_weight=weights)
    reference.fit(scaler.transform(train.astype(np.float64)), target)
    expected = reference.predict_proba(scaler.transform(matrix.astype(np.float64)))
    np.testing.assert_allclose(fitted.scores, expected[:, 1:] if task == "binary" else expected, atol=2e-4)
    assert fitted.converged
    assert fitted.rounds < 60


def test_correlated_columns_take_tens_of_steps_not_thousands(tmp_path: Path) -> None:
    source = np.random.default_rng(8)
    base = source.normal(size=(2000, 1))
    matrix = np.hstack([base + source.normal(size=(2000, 1)) * 1e-3 for _ in range(6)]).astype(np.float32)
    target = (source.random(2000) < 1 / (1 + np.exp(-2 * base[:, 0]))).astype(float)
    rows = (matrix, target)
    fitted = fit("logistic_regression", task_of(tmp_path, "logistic_regression", "binary", train=rows, validation=rows, C=1000.0))
    assert fitted.converged
    assert fitted.rounds <= 60


def test_a_solver_that_runs_out_of_steps_says_so(tmp_path: Path) -> None:
    assert fit("logistic_regression", _task(tmp_path, "logistic_regression", "multiclass", max_iter=2)[0]).converged is False


@pytest.mark.parametrize(("method", "task"), LINEAR)
def test_missing_values_are_refused(tmp_path: Path, method: str, task: Task) -> None:
    rows = rows_of(task, 100, seed=1, holes=True)
    with pytest.raises(InvalidRequest, match="needs a fill"):
        fit(method, task_of(tmp_path, method, task, train=rows, validation=rows))


@pytest.mark.parametrize(("method", "task"), [*LINEAR, ("random_forest", "binary"), ("random_forest", "multiclass")])
def test_the_curve_follows_five_growing_parts_of_the_rows(tmp_path: Path, method: str, task: Task) -> None:
    told: list[dict[str, float]] = []
    asked, _ = _task(tmp_path, method, task, progress=told.append, **({"n_estimators": 20} if method == "random_forest" else {}))
    fitted = fit(method, asked)
    curve = fitted.learning_curve
    assert curve["rows"] == (37, 75, 150, 300, 600)
    main = "rmse" if task == "regression" else "accuracy"
    assert len(curve[f"train:{main}"]) == len(curve[f"validation:{main}"]) == len(told) == 5
    if method != "random_forest":
        own = measure(task, asked.validation.targets(), fitted.scores)[main]
        assert curve[f"validation:{main}"][-1] == pytest.approx(own, rel=1e-12)
