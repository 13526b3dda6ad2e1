"""`mlops demo`: the whole line once, from the form to a served prediction, through a workflow."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from mlops_core.cli.console import Console
from mlops_core.cli.data import add
from mlops_core.cli.result import line, summary
from mlops_core.cli.run import EXIT_BY_OUTCOME, finish
from mlops_core.contracts.request import TrainingRequest
from mlops_core.errors import JobFailed
from mlops_core.intake.form import LABEL_TO_START
from mlops_core.reporting.messages import plain as word

if TYPE_CHECKING:
    from mlops_core.cli.platform import Platform

HELP = "Show the whole line on this machine: form, label, workflow, seven phases, a prediction from the served model."
EXAMPLE = "  mlops demo\n  mlops demo --keep       # leave the platform running and look around"

ROW = {
    "age": 41, "workclass": "Private", "fnlwgt": 209642, "education": "Bachelors", "education-num": 13,
    "marital-status": "Married-civ-spouse", "occupation": "Exec-managerial", "relationship": "Husband",
    "race": "White", "sex": "Male", "capital-gain": 0, "capital-loss": 0,
    "hours-per-week": 45, "native-country": "United-States",
}  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--keep", action="store_true", help="leave the platform running (stop it with `mlops local down`)")
    parser.add_argument("--language", choices=("en", "ja"), default="en", help="language of the issue's answers")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the demo; exit 0 when the model is served and answered a prediction."""
    from mlops_core.cli.platform import EXAMPLE_REPOSITORY, opened

    language = arguments.language
    with opened(console, keep=arguments.keep) as platform:
        request = _request(platform, language, console)
        issue = platform.submit_form(EXAMPLE_REPOSITORY, "train: census income", request)
        console.note(word(language, "terminal.form_issue", address=platform.issue_url(EXAMPLE_REPOSITORY, issue)))
        platform.label(EXAMPLE_REPOSITORY, issue)
        console.note(word(language, "terminal.labelled", label=LABEL_TO_START))
        document = finish(platform, EXAMPLE_REPOSITORY, issue, console)
        for told in summary(document):
            console.say(told)
        if document["endpoint"] and document["outcome"] == "succeeded":
            console.say(line("prediction", predict(platform, document["endpoint"]["name"]), language))
        if arguments.keep:
            console.say(line("pages", platform.url, language))
            console.say(word(language, "terminal.kept", command=".venv/bin/mlops local down"))
    return EXIT_BY_OUTCOME.get(str(document["outcome"]), 7)


def _request(platform: Platform, language: str, console: Console) -> TrainingRequest:
    folder = platform.places.project / "examples" / "data"
    session = platform.session()
    return TrainingRequest.model_validate(
        {
            "model_name": "census-income",
            "task": "binary",
            "algorithm": "xgboost",
            "dataset": add(session, folder / "census-income-train.csv.gz", platform.bucket, "adult", console),
            "test_dataset": add(session, folder / "census-income-test.csv.gz", platform.bucket, "adult", console),
            "target": "income",
            "positive_label": ">50K",
            "metric": "roc_auc",
            "threshold": 0.9,
            "language": language,
        }
    )


def predict(platform: Platform, endpoint: str) -> str:
    """One real prediction over HTTP (InvokeEndpoint, signed) from the deployed endpoint, as one line."""
    answer = platform.ports().endpoints.invoke(endpoint, json.dumps({"instances": [ROW]}).encode())
    if answer.status != 200:
        raise JobFailed(
            f"the endpoint {endpoint} answered {answer.status}: {answer.body[:200]!r}", remedy="Look at `mlops local logs aws`."
        )
    return f"{json.dumps(json.loads(answer.body)['predictions'][0])} by {answer.attributes} in {answer.latency_ms:.0f} ms"
