"""Operators hear of a run that waits: on the issue, by Slack and by e-mail, once each; private sinks stay out of reach."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mlops_core.adapters.assemble import ports_for_cli
from mlops_core.adapters.shell import session_of_shell, store_secrets
from mlops_core.capabilities.notification import notify_operator
from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.contracts.run import RunState
from mlops_core.ports import Ports
from mlops_core.runs import names
from tests.flows.conftest import until
from tests.flows.local.github.test_pages import Browser
from tests.flows.test_line import Line, wait_for
from tests.unit.adapters.test_web_http import listening

pytestmark = pytest.mark.flow
MODEL = "unsure"


@dataclass(frozen=True)
class Waiting:
    """A run below its threshold that waits for an answer."""

    line: Line
    issue: int
    state: RunState

    def calls(self) -> list[str]:
        """Comments that call for a decision."""
        marker = f"<!-- mlops:ask:{self.state.run_id}:"
        return [body for body in self.line.comments(seed.LOCAL_REPOSITORY, self.issue) if body.startswith(marker)]

    def slack(self) -> list[str]:
        """What the local Slack got of this model."""
        told = [json.dumps(item["message"], ensure_ascii=False) for item in self.line.platform.admin.messages()]
        return [text for text in told if MODEL in text]

    def mails(self) -> list[dict[str, Any]]:
        """What the local SES took of this model."""
        return [mail for mail in mails(self.line.platform) if MODEL in mail["Subject"]]


@pytest.fixture(scope="module")
def waiting(platform: Platform, flowers: Callable[[int], bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    line = Line.of(platform, tmp_path_factory.mktemp("data"), flowers(2), dataset="told")
    weak = {"threshold": 1.0, "hyperparameters": {"n_estimators": 1, "max_depth": 1}, "max_retrains": 1, "language": "ja"}
    issue = line.ask(seed.LOCAL_REPOSITORY, MODEL, **weak)
    platform.label(seed.LOCAL_REPOSITORY, issue)
    run_id = line.run_of(seed.LOCAL_REPOSITORY, issue)
    state = until(platform, run_id, lambda found: found.verdict is not None and found.verdict.decision == "retrain")
    wait_for(lambda: platform.ports().ledger.get(names.operator_key(run_id), "TOKEN"))
    yield Waiting(line, issue, state)
    platform.ports().machines.stop(state.execution_arn, error="Stopped", cause="the test is over")
    line.closed(run_id)


def mails(platform: Platform) -> list[dict[str, Any]]:
    """Every e-mail that the local SES took."""
    aws = platform.supervisor.aws
    trust = ssl.create_default_context(cafile=str(aws.ca_bundle))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    with opener.open(f"{aws.endpoint}/_ministack/ses/messages", timeout=20) as answer:
        return [mail for found in json.load(answer)["messages"].values() for mail in found]


def test_the_operator_is_told_once_on_every_channel_in_the_requests_language(waiting: Waiting) -> None:
    wait_for(waiting.mails)
    (comment,), (slack,), (mail,) = waiting.calls(), waiting.slack(), waiting.mails()
    assert (mail["Source"], mail["To"]) == (seed.MAIL_FROM, [seed.MAIL_TO])
    for told in (comment, slack, mail["BodyText"]):
        assert "/retrain" in told
        assert "判断" in told or "変更" in told
    assert waiting.line.platform.issue_url(seed.LOCAL_REPOSITORY, waiting.issue) in mail["BodyText"]


def test_a_repeated_question_tells_nobody_twice(waiting: Waiting) -> None:
    wait_for(waiting.mails)
    run_id = waiting.state.run_id
    row = waiting.line.platform.ports().ledger.get(names.operator_key(run_id), "TOKEN") or {}
    assert waiting.state.verdict
    asked = {"run_id": run_id, "round": 0, "token": row["token"], "verdict": waiting.state.verdict.model_dump(mode="json")}
    payload = json.dumps({"action": "ask", **asked}).encode()
    answer = session_of_shell().client("lambda").invoke(FunctionName="mlops-agent-notification", Payload=payload)
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert (len(waiting.calls()), len(waiting.slack()), len(waiting.mails())) == (1, 1, 1)


@pytest.fixture
def slack_at(platform: Platform) -> Iterator[Callable[[str], None]]:
    """Points the secret elsewhere, and back at the end."""
    yield lambda url: store_secrets({seed.SLACK_SECRET: url})
    store_secrets({seed.SLACK_SECRET: platform.admin.inbox()})


def ports_trusting(platform: Platform, origins: str) -> Ports:
    """The server's ports over another TrustedSinks, and without mail."""
    slack = {"MLOPS_SLACK_SECRET": seed.SLACK_SECRET, "MLOPS_TRUSTED_SINKS": origins}
    return ports_for_cli({**os.environ, **platform.environment(), **slack})


def test_abuse_row_80_a_private_sink_is_reached_only_as_an_exact_trusted_origin(waiting: Waiting) -> None:
    platform, before = waiting.line.platform, len(waiting.slack())
    near = f"{platform.url}.example.org,{platform.url.replace('127.0.0.1', 'localhost')},https{platform.url.removeprefix('http')}"
    for origins in ("", near):
        assert notify_operator(ports_trusting(platform, origins), waiting.state.run_id)["slack"] == "failed"
    assert len(waiting.slack()) == before
    assert notify_operator(ports_trusting(platform, platform.url), waiting.state.run_id)["slack"] == "sent"
    assert len(waiting.slack()) == before + 1


def test_abuse_row_80_a_sink_that_redirects_is_not_followed(waiting: Waiting, slack_at: Callable[[str], None]) -> None:
    with listening(307) as elsewhere:
        slack_at(f"{elsewhere.origin}/hook")
        ports = ports_trusting(waiting.line.platform, elsewhere.origin)
        assert notify_operator(ports, waiting.state.run_id)["slack"] == "failed"
    assert elsewhere.connections == 1


def test_the_inbox_page_shows_both_to_people_who_signed_in(waiting: Waiting) -> None:
    wait_for(waiting.mails)
    person = Browser(waiting.line.platform.url)
    assert MODEL not in person.open("/inbox")
    page = person.sign_in(seed.APPROVES).open("/inbox")
    assert page.count(f"[mlops] {MODEL}") == 1
    assert seed.MAIL_TO in page
    assert waiting.line.platform.admin.inbox().rpartition("/")[2] not in page
