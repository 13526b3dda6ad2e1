"""Comments, Slack, e-mail, alarms: what reaches people, and what happens when GitHub does not answer."""

from __future__ import annotations

import pytest

from mlops_core import errors
from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities import history, notification
from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.changes import PhaseChange, RunChanges
from mlops_core.contracts.model import ModelRecord
from mlops_core.contracts.verdict import Interval, Rule, Verdict
from mlops_core.runs import models, outbox
from mlops_core.runs.delivery import deliver_outbox
from mlops_core.runs.progress import record_progress
from mlops_core.runs.state import read_run
from tests.unit.mcp_server import world as w

VERDICT = Verdict(
    decision="retrain", decided_by="threshold", metric="roc_auc", measured=Interval(value=0.8, low=0.79, high=0.81), policy_digest="f" * 64,
    rules=(Rule(name="threshold", metric="roc_auc", measured=0.8, required=0.9, passed=False),),
)  # fmt: skip
RUNNING = RunChanges(phase=PhaseChange(name="data", status="running"))
DONE = RunChanges(phase=PhaseChange(name="data", status="done"))


def started(**settings: str) -> tuple[MemoryPorts, str]:
    """A run that has begun."""
    memory = w.world(**settings)
    return memory, start_run(memory.ports, w.approved()).run_id


def pages(memory: MemoryPorts) -> list[str]:
    """The comments on the issue."""
    return [*memory.repository.comments.get((w.REPOSITORY, 7), {}).values()]


def fail_with(memory: MemoryPorts, error: errors.MlopsError) -> list[str]:
    """Every comment call fails; returns what was tried."""
    tried: list[str] = []

    def fault(action: str) -> None:
        if action == "comment":
            tried.append(action)
            raise error

    memory.repository.fault = fault
    return tried


def test_progress_edits_one_page_and_drops_what_comes_too_fast() -> None:
    memory, run = started()
    record_progress(memory.ports, run, RUNNING)
    for value in range(5):
        record_progress(memory.ports, run, RunChanges(live_metrics=(("validation:roc_auc", value / 10),)))
    record_progress(memory.ports, run, DONE)
    assert len(pages(memory)) == 1
    assert dict(read_run(memory.ports, run).live_metrics) == {"validation:roc_auc": 0.4}


def test_abuse_row_51_a_comment_github_did_not_take_is_delivered_later() -> None:
    memory, run = started()
    memory.repository.comments.clear()
    fail_with(memory, errors.Unavailable("502"))
    record_progress(memory.ports, run, RUNNING)
    assert pages(memory) == []
    memory.repository.fault = None
    assert deliver_outbox(memory.ports, w.REPOSITORY) == 1
    assert len(pages(memory)) == 1
    assert deliver_outbox(memory.ports, w.REPOSITORY) == 0


def test_abuse_row_52_nothing_is_sent_while_github_asks_to_wait_and_the_wait_rises() -> None:
    memory, run = started()
    tried = fail_with(memory, errors.Throttled("secondary rate limit", retry_after=60.0))
    record_progress(memory.ports, run, RUNNING)
    record_progress(memory.ports, run, DONE)
    assert len(tried) == 1
    assert deliver_outbox(memory.ports, w.REPOSITORY) == 0
    memory.clock.sleep(61)
    assert deliver_outbox(memory.ports, w.REPOSITORY) == 0
    assert len(tried) == 2
    memory.clock.sleep(61)
    assert outbox.held(memory.ports, w.REPOSITORY)
    memory.clock.sleep(60)
    assert not outbox.held(memory.ports, w.REPOSITORY)


def test_abuse_row_52_a_named_wait_is_kept_exactly() -> None:
    memory, run = started()
    fail_with(memory, errors.Throttled("slow down", retry_after=17.0))
    record_progress(memory.ports, run, RUNNING)
    memory.clock.sleep(16)
    assert outbox.held(memory.ports, w.REPOSITORY)
    memory.clock.sleep(2)
    assert not outbox.held(memory.ports, w.REPOSITORY)


def test_abuse_row_53_progress_is_dropped_and_the_last_page_kept_until_the_limit_resets() -> None:
    memory, run = started()
    memory.clock.sleep(60)
    fail_with(memory, errors.Throttled("primary limit", retry_after=900.0))
    record_progress(memory.ports, run, RunChanges(live_metrics=(("validation:roc_auc", 0.5),)))
    assert outbox.waiting(memory.ports, w.REPOSITORY, 10) == []
    history.close_run(memory.ports, run, "failed", "a test")
    memory.clock.sleep(901)
    memory.repository.fault = None
    assert deliver_outbox(memory.ports, w.REPOSITORY) == 1
    assert "failed" in pages(memory)[0].lower()


def test_abuse_row_54_a_deleted_comment_is_made_anew() -> None:
    memory, run = started()
    memory.repository.comments.clear()
    record_progress(memory.ports, run, RUNNING)
    assert len(pages(memory)) == 1


def test_abuse_row_39_a_deleted_issue_does_not_stop_the_end_of_a_run() -> None:
    memory, run = started()
    del memory.repository.issues[w.REPOSITORY, 7]
    memory.repository.comments.clear()
    history.close_run(memory.ports, run, "failed", "a test")
    assert history.write_record(memory.ports, run)["path"] == f"training_history/income/{run}.md"
    assert history.finish_issue(memory.ports, run) == {"label": "", "closed": False}


def test_abuse_row_49_a_moved_head_loses_no_record() -> None:
    memory, run = started()
    moves: list[int] = []

    def move() -> None:
        if len(moves) < 4:
            moves.append(1)
            memory.repository.commits.setdefault(w.REPOSITORY, []).append(("other", ""))

    memory.repository.before_commit = move
    history.close_run(memory.ports, run, "failed", "a test")
    history.write_record(memory.ports, run)
    assert f"training_history/income/{run}.json" in memory.repository.files[w.REPOSITORY]


def test_abuse_row_50_a_protected_branch_gets_a_pull_request_and_the_run_is_closed() -> None:
    memory, run = started()
    memory.repository.protected = True
    history.close_run(memory.ports, run, "failed", "a test")
    assert history.write_record(memory.ports, run)["pull_request"]
    assert history.finish_issue(memory.ports, run)["label"] == "mlops:failed"


def test_commits_of_many_runs_take_turns_and_a_lost_lease_stops_nobody() -> None:
    memory, run = started()
    memory.ledger.claim(f"LOCK#commit#{w.REPOSITORY}", "LOCK", {"owner": "dead"}, expires_at=int(memory.clock.now().timestamp()) + 3600)
    history.close_run(memory.ports, run, "failed", "a test")
    assert history.write_record(memory.ports, run)["commit"]
    memory.ledger.delete(f"LOCK#commit#{w.REPOSITORY}", "LOCK")
    history.write_record(memory.ports, run)
    assert memory.ledger.get(f"LOCK#commit#{w.REPOSITORY}", "LOCK") is None


def test_a_record_is_written_once_however_often_it_is_asked_for() -> None:
    memory, run = started()
    history.close_run(memory.ports, run, "failed", "a test")
    history.write_record(memory.ports, run)
    commits = len(memory.repository.commits[w.REPOSITORY])
    history.write_record(memory.ports, run)
    assert len(memory.repository.commits[w.REPOSITORY]) == commits


def test_a_closed_run_keeps_its_first_outcome() -> None:
    memory, run = started()
    assert history.close_run(memory.ports, run, "refused", "no")["outcome"] == "refused"
    assert history.close_run(memory.ports, run, "failed", "later")["outcome"] == "refused"


def test_jobs_of_a_dead_run_are_stopped() -> None:
    memory, run = started()
    from tests.unit.capabilities.test_jobs import start_data

    start_data(memory, run)
    record_progress(memory.ports, run, RunChanges(phase=PhaseChange(name="data", status="running", job=f"mlops-{run}-data")))
    assert history.stop_orphans(memory.ports, run) == {"stopped": [f"mlops-{run}-data"]}
    assert history.stop_orphans(memory.ports, run) == {"stopped": []}


def test_the_operator_is_called_by_comment_slack_and_mail() -> None:
    memory, run = started(slack_secret="slack", mail_from="mlops@example.com", mail_to="ops@example.com, more@example.com")
    memory.secrets.values["slack"] = "https://hooks.slack.com/services/T/B/x\n"
    record_progress(memory.ports, run, RunChanges(verdict=VERDICT))
    assert notification.notify_operator(memory.ports, run) == {"comment": "sent", "slack": "sent", "mail": "sent"}
    assert memory.web.posted[0][0] == "https://hooks.slack.com/services/T/B/x"
    assert memory.mail.sent[0][1] == ("ops@example.com", "more@example.com")
    assert any("/retrain" in body for body in pages(memory))


def test_one_deaf_channel_does_not_silence_the_others() -> None:
    memory, run = started(slack_secret="slack", mail_from="mlops@example.com", mail_to="ops@example.com")
    record_progress(memory.ports, run, RunChanges(verdict=VERDICT))
    fail_with(memory, errors.Unavailable("503"))
    assert notification.notify_operator(memory.ports, run) == {"comment": "waiting", "slack": "failed", "mail": "sent"}
    memory.repository.fault = None
    deliver_outbox(memory.ports, w.REPOSITORY)
    assert any("/retrain" in body for body in pages(memory))


def test_channels_that_are_not_set_are_off() -> None:
    memory, run = started()
    record_progress(memory.ports, run, RunChanges(verdict=VERDICT))
    assert notification.notify_operator(memory.ports, run) == {"comment": "sent", "slack": "off", "mail": "off"}


@pytest.mark.parametrize("name", ["mlops-income-errors", "mlops-income-latency"])
def test_an_alarm_reaches_the_models_issue_or_a_new_one_and_stays_text(name: str) -> None:
    memory, _ = started()
    alarm = {"AlarmName": name, "NewStateValue": "ALARM", "NewStateReason": "@everyone <img src=x> closes #1"}
    found = notification.post_alarm(memory.ports, alarm)
    assert found["posted"]
    issue = memory.repository.issues[w.REPOSITORY, found["issue"]]
    assert "<img" not in issue.body
    assert "@everyone" not in issue.body


def test_the_end_of_an_alarm_is_told_and_a_first_look_that_finds_order_is_not() -> None:
    memory, _ = started()
    alarm = {"AlarmName": "mlops-income-errors", "NewStateValue": "OK", "NewStateReason": "fine"}
    assert not notification.post_alarm(memory.ports, {**alarm, "OldStateValue": "INSUFFICIENT_DATA"})["posted"]
    found = notification.post_alarm(memory.ports, {**alarm, "OldStateValue": "ALARM"})
    assert "mlops-income-errors" in memory.repository.issues[w.REPOSITORY, found["issue"]].body


def test_an_alarm_speaks_the_language_of_the_run_that_made_the_champion() -> None:
    memory = w.world()
    run = start_run(memory.ports, w.approved(language="ja")).run_id
    state = read_run(memory.ports, run)
    made = ModelRecord(
        model_name="income", version="1.0.0", run_id=run, package_arn="arn:p", model_uri="s3://b-1/models/income/1.0.0/model.tar.gz",
        archive_digest="f" * 64, metrics={"roc_auc": 0.9}, metric="roc_auc", dataset_digest="f" * 64, created_at=state.started_at,
    )  # fmt: skip
    models.set_champion(memory.ports, made)
    found = notification.post_alarm(memory.ports, {"AlarmName": "mlops-income-latency", "NewStateValue": "ALARM"})
    assert found == {"issue": state.issue, "posted": True}
    assert any("レイテンシのアラームが発生しました" in body for body in pages(memory))


@pytest.mark.parametrize("name", ["other-income-errors", "mlops-unknown-errors", "mlops-income-cpu", "", "mlops--errors"])
def test_an_alarm_of_others_is_not_posted(name: str) -> None:
    memory, _ = started()
    assert not notification.post_alarm(memory.ports, {"AlarmName": name, "NewStateValue": "ALARM"})["posted"]
