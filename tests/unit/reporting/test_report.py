"""The evaluation report: one page that loads nothing, shows what the look found and leaves out what it did not find."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_core.contracts.request import Language, Task
from mlops_core.contracts.run import RunWarning
from mlops_core.reporting.judged import CLOSING, OPENING, with_verdict
from mlops_core.reporting.pages import named, share
from mlops_core.reporting.siblings import with_links
from tests.unit.reporting import looked, states
from tests.unit.reporting.well_formed import check

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
LANGUAGES: tuple[Language, ...] = ("en", "ja")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", TASKS)
def test_the_report_is_one_escaped_page_that_loads_nothing(task: Task, language: Language) -> None:
    page = looked.page(task, language)
    words = check(page)
    assert "city &lt;b&gt; = Oslo" in page
    assert "target | &lt;b&gt;" in page
    assert ("評価" in words) == (language == "ja")


def test_the_page_shows_every_part_of_the_look_with_units_intervals_and_sample_sizes() -> None:
    words = check(looked.page("binary"))
    for told in (
        "ROC AUC 0.9100 (95 %: 0.8900 – 0.9300)",
        "Average precision 0.7000",
        "expected calibration error 0.0310",
        "1 bin with fewer than ten rows is not shown",
        "Learning curve: log loss",
        "city <b> = Oslo and 30 < age ≤ 45",
        "70 rows (17.5 %), ROC AUC 0.8000",
        "41 slices of at least 50 rows",
        "Four-fifths rule missed",
        "Widest gap 0.1900 (95 %: 0.1700 – 0.2100): m over f. Ratio 0.3700",
        "1 group with fewer than ten rows (7 rows together) is not shown",
        "Not in this split, so not compared: race.",
        "5 repeats on 300 rows, seed 42",
        "nats, lower is better",
    ):
        assert told in words, told


def test_other_thresholds_stand_with_what_they_would_give() -> None:
    point = {"threshold": 0.5, "rows": 150, "share": 0.375, "precision": looked.spread(0.8), "recall": looked.spread(0.7), "f1": 0.75}
    words = check(looked.page(thresholds=[{**point, "false_positive_rate": 0.1}]))
    assert "0.5 150 37.5 % 0.8000 0.7800–0.8200 0.7000 0.6800–0.7200 0.7500 0.1000" in words
    assert "What other thresholds would give" not in check(looked.page())


def test_every_rule_that_was_judged_stands_with_its_numbers() -> None:
    words = check(with_verdict(looked.page(), states.state(verdict=states.verdict("accept"))))
    assert "threshold of the request ROC AUC 0.9276 at least 0.9200 passed" in words
    assert "better than the trivial baseline ROC AUC 0.9276 more than 0.5000 passed" in words


def test_a_report_of_the_test_split_says_that_the_verdict_was_spoken_before() -> None:
    state = states.state(verdict=states.verdict("accept"), test_evaluation_uri="s3://bucket-of-tests/look")
    assert "The figures below are those of the test split." in check(with_verdict(looked.page(), state))
    assert "those of the test split" not in check(with_verdict(looked.page(), states.state(verdict=states.verdict("accept"))))


def test_pages_that_are_published_together_link_to_each_other() -> None:
    page = looked.page().encode()
    linked = with_links(page, "report", ("report", "quality", "features"), language="ja").decode()
    assert [f'href="{name}.html"' in linked for name in ("report", "quality", "features")] == [False, True, True]
    assert "データ品質" in linked
    assert with_links(page, "report", ("report",), language="en") == page


def test_what_the_look_did_not_find_is_left_out() -> None:
    bare: dict[str, Any] = {
        "learning_curve": {},
        "importance": None,
        "slices": None,
        "groups": [],
        "calibration": [],
        "precision_recall": [],
        "roc": [],
    }
    words = check(looked.page("binary", "en", measures={}, confusion=[], per_class={}, protected_absent=[], **bare))
    for absent in ("Learning curve", "Calibration", "weakest", "looks at", "Groups of", "Confusion"):
        assert absent not in words


def test_the_champion_on_the_same_rows_stands_beside_the_model() -> None:
    found = [{"code": "W-EVAL-002", "values": {"metric": "roc_auc", "score": 0.99999, "split": "test", "rows": 400}}]
    words = check(looked.page("binary", "en", champion={"roc_auc": looked.spread(0.88)}, champion_version="1.2.0", findings=found))
    assert "Against the champion 1.2.0" in words
    assert "0.9100 (0.8900–0.9300) 0.8800 (0.8600–0.9000)" in words
    assert "W-EVAL-002" in words


def test_no_significant_slice_is_said_so() -> None:
    slices = {"loss": "brier", "mean": 0.2, "least_rows": 50, "columns": 3, "tested": 12, "found": []}
    assert "No slice of at least 50 rows is significantly worse" in check(looked.page("binary", slices=slices))


def test_a_formula_in_a_name_is_shown_quoted() -> None:
    """Abuse row 83."""
    words = check(looked.page("multiclass"))
    assert "'=cmd()" in words
    assert " =cmd()" not in words
    assert named("@import") == "'@import"
    assert named("-1.5e3") == "-1.5e3"
    assert named("-1+cmd") == "'-1+cmd"
    assert named("a=b") == "a=b"


def test_a_share_never_rounds_something_to_nothing() -> None:
    assert [share(value) for value in (0, 1e-5, 0.1234, 1)] == ["0 %", "<0.1 %", "12.3 %", "100 %"]


def test_before_the_judge_has_spoken_the_page_says_so_and_lists_the_warnings() -> None:
    words = check(looked.page())
    assert words.index("Measured, not judged yet") < words.index("W-DATA-001") < words.index("All metrics")


@pytest.mark.parametrize(("decision", "tone"), [("accept", "good"), ("retrain", "warn"), ("refuse", "bad")])
def test_the_verdict_the_warnings_and_the_next_act_come_first(decision: str, tone: str) -> None:
    verdict = states.verdict(decision)
    state = states.state(verdict=verdict, warnings=(RunWarning(code="W-DATA-009", text="city: <many> categories"),))
    page = with_verdict(looked.page(), state)
    words = check(page)
    assert f'class="state {tone}"' in page
    assert "city: &lt;many&gt; categories" in page
    assert "Measured, not judged yet" not in page
    assert words.index("decided by") < words.index("W-DATA-009") < words.index("Next") < words.index("All metrics")


def test_a_model_that_is_not_to_be_served_is_not_announced_as_served() -> None:
    asked = states.request(endpoint=False)
    words = check(with_verdict(looked.page(), states.state(verdict=states.verdict("accept"), request=asked)))
    assert "goes on to packaging, as issue" in words
    assert "shows where it serves" not in words


def test_a_page_without_marks_or_a_run_without_verdict_stays_as_it_is() -> None:
    page = looked.page()
    assert with_verdict(page, states.state(verdict=None)) == page
    foreign = page.replace(OPENING, "").replace(CLOSING, "")
    assert with_verdict(foreign, states.state(verdict=states.verdict("accept"))) == foreign


def test_a_report_whose_figures_the_policy_stops_on_says_so_in_place_of_the_verdict() -> None:
    run = states.state(verdict=None, reason="the policy stops on W-EVAL-002. <b>Mend</b> the data. (E-EVAL-STOPPED)")
    page = with_verdict(looked.page(), run)
    assert "policy stops on what was found" in page
    assert "&lt;b&gt;Mend&lt;/b&gt;" in page
    assert "Measured, not judged yet" not in page


def test_a_verdict_is_worded_in_the_run_s_language() -> None:
    state = states.state(request=states.request(language="ja"), verdict=states.verdict("accept"))
    assert "次の操作" in with_verdict(looked.page(language="ja"), state)
