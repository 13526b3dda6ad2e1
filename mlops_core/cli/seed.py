"""What a fresh local platform holds: people, two repositories, the suite's App, the webhook and the workflow variables.

    seeded = seed(admin, project)
    connect(admin, seeded, outputs, aws_url="https://127.0.0.1:4566")

``local/models`` is driven by the webhook (no runner is needed), ``local/example`` by its workflows, as a caller's repository is, and
``local/polled`` by polling alone.  Only ``local/example`` has a policy file, the example's: what `mlops run` trains on a table of one's own
is judged by the documented defaults, not by a floor that nobody set.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_core.local.github.admin import Admin

ASKS, APPROVES = "ana", "wataru"
LOCAL_REPOSITORY, EXAMPLE_REPOSITORY, POLLED_REPOSITORY = "local/models", "local/example", "local/polled"
SUITE_OWNER, SUITE_COMMIT = "mlops-suite", "0" * 40
SUITE = f"{SUITE_OWNER}/mlops@{SUITE_COMMIT}"
APP_ID, INSTALLATION_ID = 4711, 815
PEOPLE = {ASKS: "read", APPROVES: "write", "tom": "triage", "rei": "read"}
PERMISSIONS = {"issues": "write", "contents": "write", "pull_requests": "write", "metadata": "read"}
EVENTS = ["issues", "issue_comment"]


@dataclass(frozen=True)
class Seeded:
    """What the templates and the workflows need to know of the local GitHub."""

    repository_ids: Mapping[str, int]
    app_secret: str
    webhook_secret: str
    slack_url: str


def seed(admin: Admin, project: Path) -> Seeded:
    """Make people, repositories and the App; what is there already is kept (the App's key is renewed)."""
    for login in PEOPLE:
        admin.create_person(login, name=login.capitalize())
    caller = project / "examples" / "caller"
    form = {".github/ISSUE_TEMPLATE/train.yml": (caller / ".github" / "ISSUE_TEMPLATE" / "train.yml").read_bytes()}
    made = {LOCAL_REPOSITORY: admin.create_repository(*LOCAL_REPOSITORY.split("/"), files={**form, "README.md": b"# models\n"})}
    made[POLLED_REPOSITORY] = admin.create_repository(*POLLED_REPOSITORY.split("/"), files={**form, "README.md": b"# polled\n"})
    made[EXAMPLE_REPOSITORY] = admin.create_repository(*EXAMPLE_REPOSITORY.split("/"), files=_caller_files(caller))
    for repository in made:
        for login, role in PEOPLE.items():
            admin.set_permission(repository, login, role)
    key = admin.register_app(APP_ID, "mlops", permissions=PERMISSIONS, installation_id=INSTALLATION_ID, repositories=list(made))
    app = {"app_id": APP_ID, "private_key": key, "installations": dict.fromkeys(made, INSTALLATION_ID)}
    return Seeded({name: int(row["id"]) for name, row in made.items()}, json.dumps(app), secrets.token_hex(24), admin.inbox())


APP_SECRET, WEBHOOK_SECRET, SLACK_SECRET = "mlops/github-app", "mlops/webhook", "mlops/slack"
MAIL_FROM, MAIL_TO = "mlops@example.org", "operator@example.org"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


def parameters(seeded: Seeded, *, github_url: str, api_url: str, code_commit: str, work: str) -> dict[str, str]:
    """Template parameters that point the suite at the local GitHub; ``work`` is the work image's tag, the rest is the templates' own."""
    return {
        "Repositories": ",".join(seeded.repository_ids),
        "OwnerRepository": f"{SUITE_OWNER}/mlops",
        "RepositoryIds": ",".join(str(number) for number in seeded.repository_ids.values()),
        "GitHubAppId": str(APP_ID),
        "GitHubAppSecretId": APP_SECRET,
        "WebhookSecretId": WEBHOOK_SECRET,
        "SlackSecretId": SLACK_SECRET,
        "MailFrom": MAIL_FROM,
        "MailTo": MAIL_TO,
        # The operator's inbox is on this machine: its exact origin, and no other, may be reached although it is private.
        "TrustedSinks": github_url,
        "GitHubApiUrl": api_url,
        "GitHubServerUrl": github_url,
        "WorkImageUri": f"{REGISTRY}/mlops-work:{work}",
        "ServeImageUri": f"{REGISTRY}/mlops-serve:local",
        "CostNote": "estimate",
        "CodeCommit": code_commit,
    }


def connect(admin: Admin, seeded: Seeded, outputs: Mapping[str, str], *, aws_url: str) -> None:
    """Point the webhook of ``local/models`` at the deployed API and give ``local/example`` its workflow variables."""
    url = f"{aws_url}/_aws/execute-api/{outputs['WebhookApiId']}/$default/webhook"
    admin.add_webhook(LOCAL_REPOSITORY, url, seeded.webhook_secret, EVENTS)
    admin.set_variables(
        EXAMPLE_REPOSITORY,
        {
            "MLOPS_AWS_REGION": outputs["Region"],
            "MLOPS_TRAIN_ROLE_ARN": outputs["TrainRoleArn"],
            "MLOPS_OPERATE_ROLE_ARN": outputs["OperateRoleArn"],
            "MLOPS_BUCKET": outputs["BucketName"],
            "MLOPS_TABLE": outputs["TableName"],
            "MLOPS_STATE_MACHINE_ARN": outputs["PipelineArn"],
        },
    )


def _caller_files(caller: Path) -> dict[str, bytes]:
    """The example caller with its placeholder owner replaced; the zeros stay: they name the local checkout."""
    found = {path.relative_to(caller).as_posix(): path.read_bytes() for path in sorted(caller.rglob("*")) if path.is_file()}
    return {name: content.replace(b"uses: OWNER/mlops/", f"uses: {SUITE_OWNER}/mlops/".encode()) for name, content in found.items()}
