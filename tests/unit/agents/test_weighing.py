"""What the judge is told about groups and slices: the policy's own measures only, in few words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops_core.agents.evaluation import ERRORS, MOST_GAPS, attributes_of, gaps_of, named, slices_of
from mlops_core.contracts.base import canonical
from mlops_core.contracts.findings import Condition, LowestSlice, Slice, Slices
from mlops_core.contracts.request import LOWER_IS_BETTER, MetricName
from mlops_core.contracts.verdict import GroupFigure, Interval, Policy, SliceFigure, VerdictInput
from mlops_core.evaluation.groups import audit_cells
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.walker import Walker


def policy(**fields: Any) -> dict[str, Any]:
    return Policy(**fields).model_dump(mode="json")


def gap(value: float, ratio: float | None) -> dict[str, Any]:
    part = None if ratio is None else {"value": ratio, "low": 0.0, "high": 1.0}
    return {"highest": "Male" * 40, "lowest": "Female", "difference": {"value": value, "low": 0.0, "high": 0.5}, "ratio": part}


def slice_of(value: float, rows: int, *conditions: Condition, metric: MetricName = "accuracy") -> Slice:
    figure = Interval(value=value, low=0.0, high=1.0)
    return Slice(
        conditions=conditions or (Condition(column="age", low=25.0, high=37.5),), rows=rows, share=0.1, loss=figure, rest=0.1, effect=0.3,
        p_value=0.001, q_value=0.01, figures={metric: figure},
    )  # fmt: skip


def results(*slices: Slice, lowest: LowestSlice | None = None) -> dict[str, Any]:
    found = w.results("income-1a2b3c4d-g1", "validation").model_dump(mode="json")
    told = Slices(loss="brier", mean=0.1, least_rows=50, columns=3, tested=40, found=slices, lowest={"accuracy": lowest} if lowest else {})
    audits = [{"attribute": "sex", "gaps": {"selection_rate": gap(0.19, 0.31), "accuracy": gap(0.11, 0.88)}}]
    audits.append({"attribute": "race", "gaps": {"selection_rate": gap(0.0, None)}})
    return {**found, "slices": told.model_dump(mode="json"), "groups": audits}


def test_only_what_the_policy_bounds_is_told_and_only_where_it_was_measured() -> None:
    found = [GroupFigure.model_validate(item) for item in gaps_of(results(), policy())]
    assert [(item.attribute, item.measure, item.value) for item in found] == [("sex", "selection_rate_ratio", 0.31)]
    wide = gaps_of(results(), policy(fairness={"accuracy_difference": 0.1, "selection_rate_difference": 0.1}))
    assert {(item["attribute"], item["measure"]) for item in wide} == {
        ("sex", "accuracy_difference"),
        ("sex", "selection_rate_difference"),
        ("race", "selection_rate_difference"),
    }


def test_the_worst_slices_come_first_and_small_ones_do_not_count() -> None:
    listed = (slice_of(0.9, 80), slice_of(0.4, 60), slice_of(0.1, 20), slice_of(0.7, 90), slice_of(0.95, 900))
    found = [SliceFigure.model_validate(item) for item in slices_of(results(*listed), policy(slice_minimum={"accuracy": 0.6}))]
    assert [item.value for item in found] == [0.4, 0.7, 0.9]
    assert slices_of(results(*listed), policy()) == []
    lowest = LowestSlice(conditions=(Condition(column="city", category="Oslo"),), rows=51, value=0.3)
    least = slices_of(results(*listed, lowest=lowest), policy(slice_minimum={"accuracy": 0.6}))[0]
    assert least == {"name": "city = Oslo", "metric": "accuracy", "value": 0.3, "rows": 51}
    assert ERRORS == LOWER_IS_BETTER
    errors = tuple(slice_of(value, 80, metric="rmse") for value in (1.0, 9.0))
    assert [item["value"] for item in slices_of(results(*errors), policy(slice_minimum={"rmse": 5.0}))] == [9.0, 1.0]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ((Condition(column="age", low=25, high=37.5),), "25 < age ≤ 37.5"),
        ((Condition(column="age", high=25), Condition(column="sex", category="Male")), "age ≤ 25, sex = Male"),
        ((Condition(column="age", low=90),), "90 < age"),
        ((Condition(column="city", missing=True),), "city = (missing)"),
    ],
)
def test_a_slice_is_named_by_its_conditions(conditions: tuple[Condition, ...], words: str) -> None:
    assert named(slice_of(0.5, 60, *conditions).model_dump(mode="json")) == words


def test_long_names_and_many_attributes_stay_within_what_the_judge_takes() -> None:
    long = Condition(column="c" * 200, category="v" * 200)
    found = results(*(slice_of(0.4, 60, long, long) for _ in range(10)))
    found["groups"] = [{**found["groups"][0], "attribute": f"attribute {index}"} for index in range(40)]
    floors: dict[MetricName, float] = {"accuracy": 0.5}
    asked = policy(slice_minimum=floors)
    whole = VerdictInput.model_validate(
        {
            **{name: found[name] for name in ("task", "metric", "split", "rows", "metrics", "baseline")},
            "groups": gaps_of(found, asked),
            "slices": slices_of(found, asked),
        }
    )
    assert len(canonical(whole)) < 8192


def test_what_there_is_no_room_for_is_neither_the_worst_nor_called_unmeasured() -> None:
    found = results()
    found["groups"] = [{"attribute": f"a{index}", "gaps": {"selection_rate": gap(0.01 * index, 0.9)}} for index in range(40)]
    asked = policy(fairness={"selection_rate_difference": 0.2, "selection_rate_ratio": 0.8}, fairness_action="stop")
    told = gaps_of(found, asked)
    assert [item["attribute"] for item in told] == [f"a{39 - place // 2}" for place in range(MOST_GAPS)]
    request = {"protected_attributes": ["a0", "a39", "never measured"]}
    assert attributes_of(request, found, asked, gaps_of(found, asked)) == ["a39", "never measured"]


def _judged(policy_text: str, ratio: float, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Outcome and page of a whole run whose looks find this selection-rate ratio between the groups of sex."""
    memory = w.world()
    memory.repository.files.setdefault(w.REPOSITORY, {})[".github/mlops.yml"] = policy_text.encode()
    rates = {"A": 0.4, "B": 0.4 * ratio}
    cells = np.array([[[300 * (1 - rate), 300 * rate], [100 * (1 - rate), 100 * rate]] for rate in rates.values()])
    audit = audit_cells("sex", list(rates), np.rint(cells).astype(np.int64))
    made = w.results
    monkeypatch.setattr(w, "results", lambda *given: made(*given).model_copy(update={"groups": (audit,)}))
    walker = Walker(memory)
    run = walker.start(protected_attributes=("sex",))
    walker.run(run)
    page = next(body for body in memory.repository.comments[w.REPOSITORY, 7].values() if f"mlops:run:{run}" in body)
    return str(walker.line.state(run).outcome), page


def test_a_gap_between_groups_stops_a_model_where_the_policy_says_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, page = _judged("fairness_action: stop\n", 0.5, monkeypatch)
    assert outcome == "expired"  # nobody answered the judge
    assert "sex (B, A)" in page


def test_the_same_gap_is_only_reported_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, page = _judged("", 0.5, monkeypatch)
    assert outcome == "succeeded"
    assert "sex (B, A)" in page


def test_a_small_gap_passes_a_policy_that_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _judged("fairness_action: stop\n", 0.95, monkeypatch)[0] == "succeeded"
