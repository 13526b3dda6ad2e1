"""Records chain by digest, read well and rebuild their index."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.contracts.base import digest
from mlops_core.contracts.history import HistoryRecord
from mlops_core.contracts.model import Manifest
from mlops_core.contracts.verdict import Policy
from mlops_core.errors import InvalidRequest
from mlops_core.reporting.history import GENESIS, next_record, record_bytes, render_history_markdown, render_index, verify_chain
from tests.unit.reporting.states import DIGEST, request, state, succeeded, waiting
from tests.unit.reporting.test_comment import results


def draft(name: str = "r1", **changes: Any) -> HistoryRecord:
    run = succeeded(run_id=name, **changes)
    return HistoryRecord(
        sequence=0, previous=GENESIS, run=run, policy=Policy(minimum={"roc_auc": 0.9}), test_looks=1, libraries={"xgboost": "3.2.0"}
    )


def chain(count: int) -> list[HistoryRecord]:
    records: list[HistoryRecord] = []
    for number in range(count):
        records.append(next_record(records[-1] if records else None, draft(f"run-{number}")))
    return records


def test_the_first_record_follows_nothing_and_each_other_the_one_before() -> None:
    first, second, third = chain(3)
    assert (first.sequence, first.previous) == (0, "0" * 64)
    assert (second.sequence, second.previous) == (1, digest(first))
    assert third.previous == digest(second)
    assert verify_chain([third, first, second]) == ()


def test_a_draft_is_chained_again_when_the_head_has_moved() -> None:
    first, second, _ = chain(3)
    mine = draft("mine")
    assert next_record(second, next_record(first, mine)) == next_record(second, mine)


@given(st.integers(0, 5), st.sampled_from(["test_looks", "libraries", "policy", "sequence"]))
def test_any_change_of_any_record_but_the_last_is_found(place: int, part: str) -> None:
    records = chain(7)
    changes: dict[str, Any] = {"test_looks": 9, "libraries": {"x": "1"}, "policy": Policy(), "sequence": 40}
    records[place] = records[place].model_copy(update={part: changes[part]})
    assert verify_chain(records)


def test_a_missing_a_doubled_and_a_foreign_record_are_found() -> None:
    records = chain(4)
    assert "missing or doubled" in verify_chain([*records[:1], *records[2:]])[0]
    assert verify_chain([*records, records[-1]])
    assert verify_chain([]) == ()


def test_a_record_never_follows_one_of_another_model() -> None:
    with pytest.raises(InvalidRequest, match="cannot follow"):
        next_record(chain(1)[0], draft(request=request(model_name="other")))


def test_the_committed_bytes_are_what_the_digest_is_made_over() -> None:
    record = chain(1)[0]
    assert HistoryRecord.model_validate_json(record_bytes(record)) == record
    assert digest(HistoryRecord.model_validate_json(record_bytes(record))) == digest(record)


def test_a_record_for_people_holds_all_that_reproducing_needs() -> None:
    manifest = Manifest(
        model_name="income", version="1.0.0", run_id="r1", task="binary", algorithm="xgboost", hyperparameters={"max_depth": 6}, seed=42,
        columns=(), labels=("a", "b"), target="income", metrics={}, files={}, weights_digest="cd" * 32, dataset_uri="s3://b-x/d",
        dataset_version="v1.0.0", dataset_digest="ef" * 32, spec_digest="12" * 32, code_commit="c0ffee", issue_url="", image="work@1",
        libraries={}, licences={}, parity_rows=1, parity_max_delta=0.0,
    )  # fmt: skip
    record = draft(dataset_digest="ef" * 32).model_copy(
        update={"manifest": manifest, "validation": results("validation", 0.93, 10), "test": results("test", 0.92, 20)}
    )
    text = render_history_markdown(next_record(chain(1)[0], record))
    for needed in (
        DIGEST,
        "cd" * 32,
        "ef" * 32,
        "12" * 32,
        "c0ffee",
        "work@1",
        "max_depth=6",
        "c" * 40,
        "Test (20 rows)",
        '"minimum"',
        "3.2.0",
    ):
        assert needed in text
    assert "opened 1 time." in text


def test_a_failed_and_a_retrained_run_are_told_too() -> None:
    failed = draft().model_copy(update={"run": state(outcome="failed", reason="boom")})
    assert "```text\nboom\n```" in render_history_markdown(failed)
    assert "`max_depth` | default | `8`" in render_history_markdown(draft().model_copy(update={"run": waiting(outcome="expired")}))


def test_the_index_is_rebuilt_from_the_records_whatever_their_order() -> None:
    records = chain(3)
    index, page = render_index(records)
    assert (index, page) == render_index(list(reversed(records)))
    loaded = json.loads(index)
    assert [item["run_id"] for item in loaded["records"]] == ["run-0", "run-1", "run-2"]
    assert loaded["records"][2]["digest"] == digest(records[2])
    assert page.index("run-2") < page.index("run-0")
    assert "[`run-1`](run-1.md)" in page
    with pytest.raises(InvalidRequest):
        render_index([])


def test_a_japanese_run_has_a_japanese_record_and_index() -> None:
    record = draft(request=request(language="ja"))
    assert "再現に必要な情報" in render_history_markdown(record)
    assert "学習履歴" in render_index([record])[1]


def test_a_record_leads_to_the_pages_beside_it_and_to_none_that_is_not_there() -> None:
    page = render_history_markdown(draft("r1", quality_path="training_history/income/r1/quality.html"))
    assert "[Evaluation report](r1/report.html) · [Data quality report](r1/quality.html)\n" in page
    assert "features.html" not in page
