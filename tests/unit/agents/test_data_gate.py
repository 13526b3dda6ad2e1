"""What stops a run after its data were prepared and before anything is trained: a policy's warnings, and data that changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops_core.agents.stopping import stop_of, stopping
from mlops_core.contracts.base import canonical
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.run import RunState
from mlops_core.contracts.stops import DATA_STOPPED, GATE, code_of
from mlops_core.reporting.judged import CLOSING, OPENING
from tests.unit.mcp_server import world as w
from tests.unit.stepfunctions.interpreter import Call
from tests.unit.stepfunctions.walker import Walker

LEAK = Finding(code="W-LEAK-001", columns=("copy",), values={"metric": "accuracy", "score": 0.9991, "rows": 4000})
BROKEN = Finding(code="E-QUALITY-001", columns=("won",), values={"split": "test", "check": "target_known", "count": 3, "rows": 100})
SHIFT = Finding(code="W-SHIFT-001", columns=("age", "city"), values={"split": "test", "psi": 0.31, "columns": 2})


def _walker(policy: str, *findings: Finding, monkeypatch: pytest.MonkeyPatch) -> Walker:
    """A world whose repository has this policy and whose data job finds this."""
    memory = w.world()
    memory.repository.files.setdefault(w.REPOSITORY, {})[".github/mlops.yml"] = policy.encode()
    found = w.profile().model_copy(update={"findings": findings})
    monkeypatch.setattr(w, "profile", lambda: found)
    return Walker(memory)


def _ended(walker: Walker, run: str) -> tuple[RunState, str, HistoryRecord]:
    """State, living comment and record of a run that was stopped before anything was trained."""
    assert not [name for name in walker.memory.jobs.asked if "-train-" in name]
    record = HistoryRecord.model_validate_json(walker.memory.repository.files[w.REPOSITORY][f"training_history/income/{run}.json"])
    page = next(body for body in walker.memory.repository.comments[w.REPOSITORY, 7].values() if f"mlops:run:{run}" in body)
    return walker.line.state(run), page, record


def test_a_warning_of_the_policy_stops_the_run_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 85"""
    walker = _walker("stop_on: [W-LEAK-001]\n", LEAK, SHIFT, monkeypatch=monkeypatch)
    run = walker.start()
    assert walker.run(run).status == "SUCCEEDED"
    state, page, record = _ended(walker, run)
    assert state.outcome == record.run.outcome == "refused"
    assert "policy stops on what was found" in page
    assert walker.memory.repository.issues[w.REPOSITORY, 7].labels == ("mlops:refused",)
    assert [phase.status for phase in state.phases] == ["done", *["waiting"] * 6]
    assert "W-LEAK-001 (copy)" in state.reason
    assert "E-DATA-STOPPED" in state.reason
    assert "W-SHIFT" not in state.reason
    assert "E-DATA-STOPPED" in page
    assert "copy: alone gives the target" in page
    assert record.run.reason == state.reason
    assert {item.code for item in record.run.warnings} == {"W-LEAK-001", "W-SHIFT-001"}


def test_a_family_of_warnings_stops_too_and_japanese_readers_get_the_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    walker = _walker("stop_on:\n  - W-SHIFT\n", SHIFT, monkeypatch=monkeypatch)
    run = walker.start(language="ja")
    assert walker.run(run).status == "SUCCEEDED"
    state, page, _ = _ended(walker, run)
    assert "stop_on に該当したため停止しました" in state.reason
    assert "age, city" in page


def test_without_stop_on_a_leak_is_a_warning_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    walker = _walker("champion_margin: 0.0\n", LEAK, monkeypatch=monkeypatch)
    run = walker.start()
    assert walker.run(run).status == "SUCCEEDED"
    assert "W-LEAK-001" in {item.code for item in walker.line.state(run).warnings}


def test_data_prepared_before_are_held_to_the_policy_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    walker = _walker("champion_margin: 0.0\n", LEAK, monkeypatch=monkeypatch)
    assert walker.run(walker.start(seed=42)).status == "SUCCEEDED"
    walker.memory.repository.commit(w.REPOSITORY, "Stop on leaks", lambda _read: {".github/mlops.yml": b"stop_on: [W-LEAK]\n"})
    asked = len(walker.memory.jobs.asked)
    run = walker.start(seed=42, threshold=0.6)
    assert walker.run(run).output == {"run_id": run, "outcome": "refused"}
    assert "E-DATA-STOPPED" in walker.line.state(run).reason
    assert len(walker.memory.jobs.asked) == asked


def test_a_file_that_is_replaced_while_the_job_reads_it_stops_the_run() -> None:
    """abuse row 64"""
    walker = Walker(w.world())
    walker.before = _replacing_in(walker)
    run = walker.start()
    assert walker.run(run).status == "FAILED"
    state, page, _ = _ended(walker, run)
    assert state.outcome == "failed"
    assert "E-DATA-CHANGED" in state.reason
    assert "E-DATA-CHANGED" in page
    assert next(phase for phase in state.phases if phase.name == "data").status == "failed"


def test_a_version_whose_bytes_differ_from_its_first_preparation_is_not_trained_on() -> None:
    """abuse row 64"""
    walker = Walker(w.world())
    assert walker.run(walker.start()).status == "SUCCEEDED"
    first = len([name for name in walker.memory.jobs.asked if "-train-" in name])
    there = next(uri for uri in walker.memory.objects.bodies if uri.endswith("/profile.json"))
    walker.memory.objects.write(there, canonical(w.profile().model_copy(update={"raw_digest": "9" * 64})))
    run = walker.start(threshold=0.6)
    assert walker.run(run).status == "FAILED"
    assert "E-DATA-CHANGED" in walker.line.state(run).reason
    assert len([name for name in walker.memory.jobs.asked if "-train-" in name]) == first


def test_a_code_stops_itself_and_its_family_alone() -> None:
    found = [{"code": "W-LEAK-001"}, {"code": "W-LEAK-010"}, {"code": "W-LEAKS-001"}]
    assert stopping(["W-LEAK"], found) == found[:2]
    assert stopping(["W-LEAK-001"], found) == found[:1]
    assert stopping([], found) == []


def _replacing_in(walker: Walker) -> Callable[[Call], None]:
    def before(call: Call) -> None:
        if call.state == "Describe" and call.payload["job"].endswith("-data"):
            walker.memory.objects.write(w.RAW, b"age,income\n2,no\n")

    return before


def test_a_score_too_good_to_be_true_stops_before_the_judge_where_the_policy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """abuse row 85"""
    walker = _walker("stop_on: [W-EVAL]\n", monkeypatch=monkeypatch)
    perfect = Finding(code="W-EVAL-002", values={"metric": "roc_auc", "score": 1.0, "split": "validation", "rows": 6000})
    made = w.results
    monkeypatch.setattr(w, "results", lambda *given: made(*given).model_copy(update={"findings": (perfect,)}))
    walker.before = _with_report(walker)
    run = walker.start()
    assert walker.run(run).output == {"run_id": run, "outcome": "refused"}
    state = walker.line.state(run)
    assert "W-EVAL-002" in state.reason
    assert "E-EVAL-STOPPED" in state.reason
    assert state.verdict is None
    assert [item.code for item in state.warnings] == ["W-EVAL-002"]
    assert not [name for name in walker.memory.jobs.asked if "-test" in name or "-pack" in name]
    assert b"policy stops on what was found" in walker.memory.repository.files[w.REPOSITORY][state.report_path]


@pytest.mark.parametrize(
    ("policy", "request_", "code"),
    [
        ("minimum:\n  f1: 0.5\n", {}, "E-JUDGE-001"),
        ("fairness_action: stop\n", {"protected_attributes": ["sex"]}, "E-JUDGE-003"),
    ],
)
def test_a_rule_whose_figure_the_data_do_not_give_refuses_the_model_and_fails_nothing(
    policy: str, request_: dict[str, object], code: str
) -> None:
    walker = Walker(w.world())
    walker.memory.repository.files.setdefault(w.REPOSITORY, {})[".github/mlops.yml"] = policy.encode()
    walker.before = _with_report(walker)
    run = walker.start(max_retrains=3, **request_)
    assert walker.run(run).output == {"run_id": run, "outcome": "refused"}
    state = walker.line.state(run)
    assert (code_of(state.reason), state.verdict) == (code, None)
    assert walker.memory.repository.issues[w.REPOSITORY, 7].labels == ("mlops:refused",)
    page = next(body for body in walker.memory.repository.comments[w.REPOSITORY, 7].values() if f"mlops:run:{run}" in body)
    assert "a rule asks for a figure that these data do not give" in page
    assert f"{run}/report.html" in page
    assert b"a rule asks for a figure that these data do not give" in walker.memory.repository.files[w.REPOSITORY][state.report_path]


def test_a_long_reason_keeps_its_code_where_the_run_is_closed() -> None:
    names = tuple(f"{letter * 70}" for letter in "abcdefgh")
    broken = [BROKEN.model_copy(update={"columns": names}).model_dump(mode="json")] * 3
    reason = stop_of({"stop_on": []}, broken, code=DATA_STOPPED)
    assert (len(reason), code_of(reason[:1000])) == (1000, GATE)
    assert "Give files with the same columns" in reason


def test_data_that_break_the_schema_are_refused_with_the_pages_that_show_why(monkeypatch: pytest.MonkeyPatch) -> None:
    walker = _walker("champion_margin: 0.0\n", BROKEN, monkeypatch=monkeypatch)
    walker.before = _with_pages(walker)
    run = walker.start()
    assert walker.run(run).output == {"run_id": run, "outcome": "refused"}
    state, page, _ = _ended(walker, run)
    assert "the test rows break the schema (target_known): 'won', 3 of 100 rows. Give files" in state.reason
    assert "its data did not pass the quality gate" in page
    assert (state.quality_path, state.features_path) == tuple(
        f"training_history/income/{run}/{name}.html" for name in ("quality", "features")
    )
    assert f"{run}/quality.html" in page
    assert walker.memory.repository.files[w.REPOSITORY][state.quality_path] == b"<p>quality"


def _with_report(walker: Walker) -> Callable[[Call], None]:
    """The evaluation job leaves its report beside the figures."""

    def before(call: Call) -> None:
        if call.state == "Judge":
            (place,) = [uri for uri in walker.memory.objects.bodies if uri.endswith("/results.json")]
            walker.memory.objects.write(place.replace("results.json", "report.html"), f"{OPENING}{CLOSING}".encode())

    return before


def _with_pages(walker: Walker) -> Callable[[Call], None]:
    """The data job leaves its pages beside the profile."""

    def before(call: Call) -> None:
        if call.state == "Describe" and call.payload["job"].endswith("-data"):
            folder = str(walker.line.state(call.payload["run_id"]).prepared_uri).rstrip("/")
            for name in ("quality", "features"):
                walker.memory.objects.write(f"{folder}/{name}.en.html", f"<p>{name}".encode())

    return before
