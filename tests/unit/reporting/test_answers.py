"""Refusals, the operator's call and answers to commands."""

from __future__ import annotations

import json
import re

import pytest

from mlops_core.contracts.approval import CommandAnswer
from mlops_core.contracts.request import Language
from mlops_core.reporting.answers import (
    ask_marker,
    mail_message,
    render_command_answer,
    render_operator_request,
    slack_message,
)
from mlops_core.reporting.links import Links
from mlops_core.reporting.suggestion import suggestion
from tests.unit.reporting.states import request, verdict, waiting

LINKS = Links(issue="https://github.com/ada/models/issues/7")


def test_the_call_for_a_decision_says_what_was_measured_and_how_to_answer() -> None:
    run = waiting()
    assert run.verdict is not None
    text = render_operator_request(run, run.verdict)
    assert text.startswith(ask_marker(run))
    assert "ROC AUC was 0.9012 (0.8982–0.9043); required is at least 0.9200 (threshold of the request)" in text
    assert "\n/retrain n_estimators=800 learning_rate=0.04\n" in text


def test_slack_gets_plain_text_blocks_and_an_escaped_fallback() -> None:
    run = waiting(request=request(target="<!channel> & <https://e.example|x>"))
    message = slack_message(run, verdict("retrain", 0.9), links=LINKS)
    kinds = {block["text"]["type"] for block in message["blocks"]}  # type: ignore[attr-defined]
    assert kinds == {"plain_text"}
    assert "<" not in str(message["text"])
    assert len(json.dumps(message)) < 5000
    assert "https://github.com/ada/models/issues/7" in json.dumps(message)


def test_a_mail_subject_is_one_short_line() -> None:
    mail = mail_message(waiting(), verdict("retrain", 0.9), links=LINKS)
    assert mail.subject == "[mlops] income: round 1 needs your decision"
    assert "\n" not in mail.subject
    assert "/retrain n_estimators=800" in mail.body
    japanese = mail_message(waiting(request=request(language="ja")), verdict("retrain", 0.9), links=LINKS)
    assert "判断をお願いします" in japanese.subject


def test_the_call_for_a_decision_is_wholly_japanese_on_every_channel() -> None:
    run = waiting(request=request(language="ja"))
    missed = verdict("retrain", 0.9)
    slack = json.dumps(slack_message(run, missed, links=LINKS), ensure_ascii=False).replace("\\n", " ")
    for text in (render_operator_request(run, missed), mail_message(run, missed, links=LINKS).body, slack):
        words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<!--.*?-->|https?://[^\s\"]+|/retrain [^\s\"]+( \w+=[\d.]+)*", "", text)))
        assert words <= {"ROC", "AUC", "income", "Issue", "URL", "text", "type", "plain", "header", "section", "blocks", "emoji", "false"}
        assert "要求値は 0.9200 以上です" in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_command_is_answered_in_one_comment(language: Language) -> None:
    accepted = render_command_answer(CommandAnswer(accepted=True, run_id="r1", round=2, text="", language=language))
    assert "`r1`" in accepted
    assert "2" in accepted
    refused = render_command_answer(CommandAnswer(accepted=False, text="already running as @r1 #3", language=language))
    assert "@r1" not in refused
    assert "#3" not in refused


def test_a_suggestion_stays_within_the_catalogue() -> None:
    run = waiting(request=request(hyperparameters={"n_estimators": 5000, "learning_rate": 0.0001}), rounds=())
    assert suggestion(run).command == "/retrain n_estimators=5000 learning_rate=0.0001"
    forest = waiting(algorithm="random_forest", rounds=(), request=request(hyperparameters={"n_estimators": 200, "min_samples_leaf": 2}))
    assert suggestion(forest).command == "/retrain n_estimators=400 min_samples_leaf=1"
    line = waiting(algorithm="linear_regression", rounds=(), request=request(hyperparameters={}))
    assert suggestion(line).command == "/retrain alpha=0.001"
    logistic = waiting(algorithm="logistic_regression", rounds=(), request=request(hyperparameters={"C": 2.0}))
    assert suggestion(logistic).command == "/retrain C=20"
