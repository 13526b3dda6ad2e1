"""Starting runs: who may, what is refused, and that one request has one run however often and by whichever path it arrives."""

from __future__ import annotations

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mlops_core import errors
from mlops_core.adapters.in_memory import MemoryPorts, in_memory_ports
from mlops_core.capabilities import issue
from mlops_core.capabilities.history import close_run
from mlops_core.contracts.approval import ApprovedRequest
from mlops_core.runs import names
from mlops_core.runs.state import read_run
from tests.unit.mcp_server import world as w

BODY = '{"action":"labeled"}'


def sign(body: str, key: str = "s3cret") -> str:
    """GitHub's signature header."""
    return "sha256=" + hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()


def hooked() -> MemoryPorts:
    """A world whose web hook secret is known."""
    memory = w.world()
    memory.secrets.values["hook"] = "s3cret"
    return memory


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", sign(BODY, "other"), sign(BODY)[:-1], sign(BODY) + "0", sign(BODY).upper(), "sha1=" + "0" * 40, "sha256=é"],
)
def test_abuse_row_40_a_wrong_signature_is_not_accepted(signature: str) -> None:
    assert issue.verify_webhook(hooked().ports, signature, BODY, "d1", "issues") == {"accepted": False, "reason": "signature"}


def test_abuse_row_40_a_right_signature_is_accepted_whatever_the_body_is() -> None:
    assert issue.verify_webhook(hooked().ports, sign("not json {"), "not json {", "d1", "issues")["accepted"]


def test_abuse_row_41_a_delivery_counts_once() -> None:
    memory = hooked()
    assert [issue.claim_delivery(memory.ports, "d1")["first"] for _ in range(3)] == [True, False, False]


def test_abuse_row_42_the_same_content_under_another_delivery_has_no_effect() -> None:
    memory = hooked()
    assert issue.claim_event(memory.ports, w.REPOSITORY, 7, "labeled", "abc")["first"]
    assert not issue.claim_event(memory.ports, w.REPOSITORY, 7, "labeled", "abc")["first"]
    assert issue.claim_event(memory.ports, w.REPOSITORY, 7, "labeled", "abd")["first"]


def test_abuse_row_43_an_old_event_is_accepted_once_and_its_key_stays_for_days() -> None:
    memory = hooked()
    memory.clock.sleep(600)
    assert issue.claim_delivery(memory.ports, "d1")["first"]
    memory.clock.sleep(6 * 86_400)
    assert not issue.claim_delivery(memory.ports, "d1")["first"]


def test_abuse_row_30_strangers_get_one_answer_per_issue_and_day() -> None:
    memory = w.world()
    assert [issue.claim_stranger(memory.ports, w.REPOSITORY, 7)["first"] for _ in range(4)] == [True, False, False, False]
    assert issue.claim_stranger(memory.ports, w.REPOSITORY, 8)["first"]
    memory.clock.sleep(86_400)
    assert issue.claim_stranger(memory.ports, w.REPOSITORY, 7)["first"]


@pytest.mark.parametrize("fault", [errors.Unavailable("503"), errors.Unauthorized("403"), errors.Throttled("429"), errors.NotFound("404")])
def test_abuse_row_31_a_permission_that_cannot_be_verified_raises(fault: errors.MlopsError) -> None:
    memory = w.world()

    def fail(_: str) -> None:
        raise fault

    memory.repository.fault = fail
    with pytest.raises(type(fault)):
        issue.check_permission(memory.ports, w.REPOSITORY, "wataru")


def test_a_repository_that_is_not_listed_is_not_served_and_an_empty_list_serves_nobody() -> None:
    for memory in (w.world(), in_memory_ports()):
        with pytest.raises(errors.Unauthorized):
            issue.check_permission(memory.ports, "evil/other", "wataru")


def test_a_start_pins_request_and_policy_and_shows_the_page() -> None:
    memory = w.world()
    memory.repository.files[w.REPOSITORY] = {".github/mlops.yml": b"minimum:\n  roc_auc: 0.8\nmax_retrains: 3\n"}
    started = issue.start_run(memory.ports, w.approved())
    state = read_run(memory.ports, started.run_id)
    assert (started.generation, started.adopted, state.execution_arn) == (0, False, started.execution_arn)
    assert json.loads(memory.objects.read(f"s3://lake/runs/{started.run_id}/policy.json"))["minimum"] == {"roc_auc": 0.8}
    assert json.loads(memory.machines.executions[started.execution_arn].input)["run_id"] == started.run_id
    assert len(memory.repository.comments[w.REPOSITORY, 7]) == 1
    assert len(started.run_id) <= 40


def test_abuse_row_38_the_same_request_again_finds_the_same_run() -> None:
    memory = w.world()
    first = issue.start_run(memory.ports, w.approved())
    for path in ("workflow", "webhook", "polling"):
        again = issue.start_run(memory.ports, ApprovedRequest.model_validate({**w.approved().model_dump(), "path": path}))
        assert (again.run_id, again.adopted) == (first.run_id, True)
    assert len(memory.machines.executions) == 1


def test_abuse_row_38_many_at_once_make_one_run() -> None:
    memory = w.world()
    with ThreadPoolExecutor(8) as pool:
        runs = {started.run_id for started in pool.map(lambda _: issue.start_run(memory.ports, w.approved()), range(16))}
    assert len(runs) == len(memory.machines.executions) == 1


def test_a_changed_body_waits_for_the_live_run() -> None:
    memory = w.world()
    first = issue.start_run(memory.ports, w.approved())
    with pytest.raises(errors.Conflict) as caught:
        issue.start_run(memory.ports, w.approved(seed=1))
    assert first.run_id in str(caught.value)
    close_run(memory.ports, first.run_id, "succeeded", "")
    assert issue.start_run(memory.ports, w.approved(seed=1)).run_id != first.run_id


def test_abuse_row_59_a_new_generation_begins_after_a_failure_and_only_then() -> None:
    memory = w.world()
    first = issue.start_run(memory.ports, w.approved())
    close_run(memory.ports, first.run_id, "failed", "a test")
    second = issue.start_run(memory.ports, w.approved())
    assert (second.generation, second.run_id, second.adopted) == (1, first.run_id[:-1] + "1", False)
    close_run(memory.ports, second.run_id, "succeeded", "")
    third = issue.start_run(memory.ports, w.approved())
    assert (third.run_id, third.adopted) == (second.run_id, True)
    assert len(memory.machines.executions) == 2


def test_abuse_row_58_a_lost_answer_is_found_again_by_the_same_name() -> None:
    memory = w.world()
    real, calls = memory.machines.start, []

    def lost(machine_arn: str, name: str, body: str) -> tuple[str, bool]:
        found = real(machine_arn, name, body)
        calls.append(name)
        if len(calls) == 1:
            raise errors.Unavailable("the answer was lost.")
        return found

    memory.machines.start = lost  # type: ignore[method-assign]
    with pytest.raises(errors.Unavailable):
        issue.start_run(memory.ports, w.approved())
    again = issue.start_run(memory.ports, w.approved())
    assert again.adopted
    assert calls == [again.run_id, again.run_id]


@pytest.mark.parametrize("fault", [errors.Throttled("slow down"), errors.Unauthorized("no"), errors.Conflict("deleting", code="E-X")])
def test_abuse_row_60_a_refused_start_keeps_its_reason_and_can_be_repeated(fault: errors.MlopsError) -> None:
    memory = w.world()
    real = memory.machines.start

    def refuse(machine_arn: str, name: str, body: str) -> tuple[str, bool]:
        raise fault

    memory.machines.start = refuse  # type: ignore[method-assign]
    with pytest.raises(type(fault)):
        issue.start_run(memory.ports, w.approved())
    memory.machines.start = real  # type: ignore[method-assign]
    assert issue.start_run(memory.ports, w.approved()).execution_arn


def test_abuse_row_61_the_input_is_a_pointer_of_a_few_bytes() -> None:
    memory = w.world()
    started = issue.start_run(memory.ports, w.approved(drop_columns=[f"column-{number}" * 10 for number in range(500)]))
    assert len(memory.machines.executions[started.execution_arn].input) < 300


@pytest.mark.parametrize(
    "dataset",
    [
        "s3://other-account/datasets/x/raw/a.csv",
        "s3://lake/models/income/1.0.0/model.tar.gz",
        "s3://lake/datasets/../models/x/a.csv",
        "s3://lake/datasets/%2e%2e/models/a.csv",
        "s3://lake/datasets/a//b.csv",
        "s3://lake/datasets/a/b.csv.",
        "s3://lake/datasets/a\\..\\b.csv",
        "s3://lake/datasets/a/мlops.csv",
        "s3://lake/datasets/a/x\u202ey.csv",
        "s3://lake/datasets/a/x\u200by.csv",
        "s3://lake/datasets/a/u:p@b.csv",
    ],
)
def test_abuse_rows_22_23_24_a_dataset_elsewhere_or_in_disguise_is_refused_before_anything_happens(dataset: str) -> None:
    memory = w.world()
    with pytest.raises(errors.InvalidRequest) as caught:
        issue.start_run(memory.ports, w.approved(dataset=dataset))
    assert caught.value.code == "E-DATA-URI"
    assert not memory.ledger.rows
    assert not memory.machines.executions


def test_abuse_row_25_the_code_point_is_named() -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        names.safe_uri("s3://lake/datasets/а.csv", below="s3://lake/datasets/")
    assert "U+0430" in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        ("instance_types: [ml.m5.large]", {"instance_type": "ml.m5.4xlarge"}),
        ("max_retrains: 1", {"max_retrains": 2}),
        ("max_cost_usd: 1", {"max_cost_usd": 5, "max_retrains": 0}),
    ],
)
def test_a_request_beyond_the_policy_is_refused_not_clamped(policy: str, changes: dict[str, object]) -> None:
    memory = w.world()
    memory.repository.files[w.REPOSITORY] = {".github/mlops.yml": policy.encode()}
    with pytest.raises(errors.Refused):
        issue.start_run(memory.ports, w.approved(**changes))


def test_a_model_name_belongs_to_the_repository_that_asked_first() -> None:
    memory = w.world()
    issue.start_run(memory.ports, w.approved())
    other = ApprovedRequest.model_validate({**w.approved().model_dump(), "repository": "octo/other"})
    with pytest.raises(errors.Conflict):
        issue.start_run(memory.ports, other)


def test_a_refusal_is_one_comment_edited_in_place() -> None:
    memory = w.world()
    for text in ("first", "second"):
        issue.post_refusal(memory.ports, w.REPOSITORY, 7, f"<!-- mlops:refusal:7 -->\n{text}")
    assert [*memory.repository.comments[w.REPOSITORY, 7].values()] == ["<!-- mlops:refusal:7 -->\nsecond"]


def test_a_refusal_names_the_pages_of_its_codes_where_the_suite_has_a_repository() -> None:
    posted: list[str] = []
    for note in ("billed", "estimate"):
        memory = w.world(owner_repository="acme/mlops")
        ports = replace(memory.ports, settings=replace(memory.ports.settings, cost_note=note))
        issue.post_refusal(ports, w.REPOSITORY, 7, "- **E-PARSE-007** Metric: no.")
        posted += memory.repository.comments[w.REPOSITORY, 7].values()
    assert "**[E-PARSE-007](https://github.com/acme/mlops/blob/HEAD/docs/reference/codes/issue.md#e-parse-007)**" in posted[0]
    assert "- **E-PARSE-007** Metric: no." in posted[1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hyperparameters": {"max_dept": 3}}, "E-PARSE-021"),
        ({"hyperparameters": {"max_depth": 99}}, "E-PARSE-020"),
        ({"metric": "rmse"}, "E-PARSE-025"),
        ({"algorithm": "linear_regression"}, "E-PARSE-006"),
        ({"task": "regression", "metric": "rmse", "hyperparameters": {"class_weight": "balanced"}}, "E-PARSE-020"),
    ],
)
def test_a_request_that_no_form_lets_through_is_refused_before_anything_starts(changes: dict[str, object], code: str) -> None:
    memory = w.world()
    with pytest.raises(errors.InvalidRequest) as caught:
        issue.start_run(memory.ports, w.approved(**changes))
    assert caught.value.code == code
    assert not memory.machines.executions
