"""The local platform as the commands use it: started or attached, deployed, seeded.

    with opened(console, keep=False) as platform:       # uses the running one, or starts one and stops it again
        issue = platform.open_issue("local/models", "train: income", body)

Locally a person called ``ana`` asks and ``wataru`` (write access) approves; ``tom`` may only triage and ``rei`` only read.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Literal

from mlops_core.adapters.shell import session_of_shell, store_secrets, verify_addresses
from mlops_core.adapters.stacks_cloudformation import CloudFormationStacks
from mlops_core.cli import seed
from mlops_core.cli.console import Console
from mlops_core.cli.suite import export, head_commit
from mlops_core.contracts.request import TrainingRequest
from mlops_core.errors import Conflict, EnvironmentBroken, MlopsError
from mlops_core.local.environments import Environments, find_uv
from mlops_core.local.github.admin import Admin
from mlops_core.local.interrupts import Workers
from mlops_core.local.places import Places, project_root
from mlops_core.local.supervisor import Supervisor
from mlops_core.platform.archives import Archive, Builder, Name, host
from mlops_core.platform.deploy import Artifacts, deploy
from mlops_core.ports import Ports

LOCAL_REPOSITORY = seed.LOCAL_REPOSITORY
EXAMPLE_REPOSITORY = seed.EXAMPLE_REPOSITORY
STARTING_SECONDS = 300.0


@dataclass
class Platform:
    """A running, deployed platform."""

    supervisor: Supervisor
    outputs: Mapping[str, str]
    _ports: Ports | None = field(default=None, repr=False)

    @property
    def places(self) -> Places:
        """The folders of this clone's platform."""
        return self.supervisor.places

    @property
    def url(self) -> str:
        """Where the pages are."""
        return self.supervisor.github.url

    @property
    def bucket(self) -> str:
        """The suite's bucket."""
        return self.outputs["BucketName"]

    @property
    def admin(self) -> Admin:
        """The local GitHub's administrator."""
        return Admin(self.supervisor.github.url, self.supervisor.github_config.admin_token)

    def environment(self) -> dict[str, str]:
        """Variables that make an SDK or a capability use this platform."""
        github = self.supervisor.github
        return {
            **self.supervisor.aws.environment(),
            **settings_of(self.outputs),
            "GITHUB_API_URL": github.api_url,
            "GITHUB_SERVER_URL": github.url,
        }

    def ports(self) -> Ports:
        """The outside world through the same adapters as on AWS, as the platform's root user."""
        if self._ports is None:
            from mlops_core.adapters.assemble import ports_for_cli

            os.environ.update(self.environment())
            self._ports = ports_for_cli(os.environ)
        return self._ports

    def session(self) -> Any:
        """An SDK session of the platform's root user."""
        os.environ.update(self.environment())
        return session_of_shell()

    def open_issue(self, repository: str, title: str, body: str) -> int:
        """An issue by ``ana``; its number."""
        return int(self.admin.open_issue(repository, seed.ASKS, title, body)["number"])

    def submit_form(self, repository: str, title: str, request: TrainingRequest) -> int:
        """An issue by ``ana`` through the repository's form, as a browser would send it; its number."""
        from mlops_core.intake.render import render_body

        return self.open_issue(repository, title, render_body(request))

    def label(self, repository: str, issue: int) -> None:
        """Set ``mlops:train`` as ``wataru``, who has write access."""
        self.github_call("POST", f"/repos/{repository}/issues/{issue}/labels", {"labels": ["mlops:train"]}, login=seed.APPROVES)

    def refusal(self, repository: str, issue: int) -> str | None:
        """What a refusal on an issue says, problem by problem, None while there is none."""
        for comment in self.github_call("GET", f"/repos/{repository}/issues/{issue}/comments"):
            body = str(comment["body"])
            if "mlops:refusal" in body:
                return readable(body) or "see the issue"
        return None

    def put_file(self, repository: str, path: str, body: bytes) -> None:
        """Commit a file to the default branch as ``wataru``, unless it stands there as it is."""
        place = f"/repos/{repository}/contents/{path}"
        try:
            there = self.github_call("GET", place)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            there = {}
        if not there or base64.b64decode(there["content"]) != body:
            known = {"sha": there["sha"]} if there else {}
            content = {"message": f"Set {path}", "content": base64.b64encode(body).decode(), **known}
            self.github_call("PUT", place, content, login=seed.APPROVES)

    def github_call(self, method: str, path: str, body: object = None, *, login: str = "") -> Any:
        """One REST call as a person."""
        token = self.admin.create_token(login or seed.ASKS)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.supervisor.github.api_url + path, data, headers, method=method)  # noqa: S310
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def issue_url(self, repository: str, issue: int) -> str:
        """The issue's page."""
        return f"{self.url}/{repository}/issues/{issue}"

    def raw_url(self, repository: str, path: str) -> str:
        """The bytes of a file at the head of the default branch."""
        return f"{self.url}/{repository}/raw/main/{path}"

    def endpoint_url(self, endpoint: str) -> str:
        """Where an endpoint answers (requests are signed)."""
        return f"{self.supervisor.aws.endpoint}/endpoints/{endpoint}/invocations"

    def clones(self) -> list[Path]:
        """Fresh clones of the local repositories, to read their files."""
        found = []
        for repository in (LOCAL_REPOSITORY, EXAMPLE_REPOSITORY):
            target = self.places.state / "clones" / repository
            source = f"{self.url}/{repository}.git"
            command = (
                ["git", "-C", str(target), "pull", "-q"] if (target / ".git").exists() else ["git", "clone", "-q", source, str(target)]
            )
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                found.append(target)
        return found

    def description(self) -> list[str]:
        """Where things are, in lines for people."""
        aws = self.supervisor.aws
        lines = [f"local AWS     {aws.endpoint}  (CA {aws.ca_bundle})"]
        if self.supervisor.only == "aws":
            exports = (f"export {name}={shlex.quote(value)}" for name, value in aws.environment().items())
            return [*(f"# {line}" for line in (*lines, "stop it with  mlops local down")), *exports]
        people = "ana asks, wataru approves (write), tom triages, rei reads"
        return [
            f"pages         {self.url}  ({people})",
            *lines,
            f"bucket        {self.bucket}",
            f"state         {self.places.state}",
            "stop it with  mlops local down",
        ]


def readable(comment: str) -> str:
    """The title and the points of a refusal comment as plain lines; what it quotes is left out."""
    lines = comment.splitlines()
    title = next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
    # The form's problems are a list; a policy's or a rule's refusal is one paragraph that begins with its code.
    points = [line.replace("**", "").replace("\\", "") for line in lines if line.startswith(("- ", "**E-"))]
    return "\n  ".join([title, *points]).strip()


SETTINGS = {
    "MLOPS_BUCKET": "BucketName",
    "MLOPS_TABLE": "TableName",
    "MLOPS_PIPELINE_ARN": "PipelineArn",
    "MLOPS_DEPLOY_ARN": "DeployArn",
    "MLOPS_WORK_IMAGE": "WorkImageUri",
    "MLOPS_SERVE_IMAGE": "ServeImageUri",
    "MLOPS_JOB_ROLE_ARN": "JobRoleArn",
    "MLOPS_ENDPOINT_ROLE_ARN": "EndpointRoleArn",
    "MLOPS_SIGNING_KEY_ID": "SigningKeyArn",
    "MLOPS_DATA_KEY_ARN": "DataKeyArn",
    "MLOPS_ALARM_TOPIC_ARN": "AlarmTopicArn",
    "MLOPS_GITHUB_APP_ID": "GitHubAppId",
    "MLOPS_GITHUB_APP_SECRET": "GitHubAppSecretId",
    "MLOPS_WEBHOOK_SECRET": "WebhookSecretId",
    "MLOPS_REPOSITORIES": "Repositories",
    "MLOPS_OWNER_REPOSITORY": "OwnerRepository",
    "MLOPS_COST_NOTE": "CostNote",
    "MLOPS_CODE_COMMIT": "CodeCommit",
}


def settings_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """The settings of a deployment as variables (see `mlops_core.settings`)."""
    return {variable: outputs[name] for variable, name in SETTINGS.items() if outputs.get(name)}


def supervisor(only: Literal["all", "aws"] = "all") -> Supervisor:
    """The supervisor of this clone's state folder, nothing started."""
    project, uv = project_root(), Path("uv")
    places = Places.of(project, os.environ)
    with suppress(EnvironmentBroken):  # only a start needs it; looking and stopping must work without
        uv = find_uv(project)
    environments = Environments(project=project, folder=places.environments, uv=uv)
    return Supervisor(places=places, environments=environments, only=only)


def start(console: Console, *, keep: bool, only: Literal["all", "aws"] = "all", held: Supervisor | None = None) -> Platform:
    """Start, deploy and seed; everything is stopped again when that fails.  ``held`` is a supervisor that has the state folder already."""
    found = held or supervisor(only)
    find_uv(found.places.project)
    found.hold()
    try:
        with Workers(3) as pool:
            archives = _archives(found, pool) if only == "all" else {}
            found.suite = {seed.SUITE: export(found.places.project, found.places.state / "suite")} if only == "all" else {}
            found.launch(keep=keep, tell=console.note)
            outputs = _deploy(found, archives, pool, console) if only == "all" else _alone(found)
        staging = found.places.state / "outputs.new"
        staging.write_text(json.dumps(outputs))
        staging.replace(found.places.state / "outputs.json")
        found.ready()
    except BaseException:
        found.down()
        raise
    console.note("platform is up")
    return Platform(found, outputs)


def attached(console: Console) -> Platform:
    """The platform that runs already, once it is deployed; `EnvironmentBroken` when none does."""
    found = supervisor()
    deadline = time.monotonic() + STARTING_SECONDS
    found.attach()
    if not found.is_ready:
        console.note("the platform is being started by another command; waiting for it")
    while not found.is_ready:
        if not found.running or time.monotonic() > deadline:
            raise EnvironmentBroken(
                "the local platform does not come up.", remedy="Stop it with `mlops local down`, then start it with `mlops local up`."
            )
        time.sleep(0.2)
    found.attach()
    if found.only == "aws":
        raise EnvironmentBroken(
            "the local AWS runs alone, without the local GitHub.",
            remedy="Stop it with `mlops local down`, then start it with `mlops local up`.",
        )
    return Platform(found, json.loads((found.places.state / "outputs.json").read_text()))


@contextmanager
def opened(console: Console, *, keep: bool) -> Iterator[Platform]:
    """The running platform, or one of our own that is stopped at the end unless ``keep``.

    Commands of one state folder may work side by side: the one that started the platform waits for the others before it stops it.
    """
    found = supervisor()
    using = _joined(found, console)
    if using is None:
        yield from _own(found, console, keep=keep)
        return
    with using:
        yield attached(console)


def _joined(found: Supervisor, console: Console) -> IO[str] | None:
    """Our mark as a user of the running platform, or None when we hold the state folder and have to start one."""
    said = False
    while True:
        using = found.use()
        if using is not None and found.running:
            return using
        if using is not None:
            using.close()
        with suppress(Conflict):
            found.hold()
            return None
        if not said:
            console.note("another command starts or stops the platform; waiting for it")
            said = True
        time.sleep(0.2)


def _own(found: Supervisor, console: Console, *, keep: bool) -> Iterator[Platform]:
    platform = start(console, keep=keep, held=found)
    try:
        yield platform
        if not keep:
            _wait_for_others(platform.supervisor, console)
    except MlopsError:
        if not keep:
            platform.supervisor.down()
        raise
    except BaseException:
        try:
            console.note("stopping the platform")
        finally:
            platform.supervisor.down()
        raise
    if not keep:
        platform.supervisor.down()


def _wait_for_others(found: Supervisor, console: Console) -> None:
    said = False
    while (alone := found.unused()) is None:
        if not said:
            console.note("another mlops command still uses the platform; it is stopped when that ends (Ctrl-C stops it now)")
            said = True
        time.sleep(0.2)
    found.closing = alone


def _archives(found: Supervisor, pool: Workers) -> dict[Name, Future[Archive]]:
    builder = Builder(project=found.places.project, uv=found.environments.uv, folder=found.places.environments / "archives")
    names: tuple[Name, ...] = ("agent", "server")
    return {name: pool.submit(builder.build, name, host()) for name in names}


def _alone(found: Supervisor) -> dict[str, str]:
    found.wait_for("aws")
    return {}


def _deploy(found: Supervisor, archives: Mapping[Name, Future[Archive]], pool: Workers, console: Console) -> dict[str, str]:
    project = found.places.project
    os.environ.update(found.aws.environment())
    found.wait_for("github")
    admin = Admin(found.github.url, found.github_config.admin_token)
    console.note("archives and repositories")
    seeding = pool.submit(seed.seed, admin, project)
    commit = pool.submit(head_commit, project)
    found.wait_for("aws")
    seeded: seed.Seeded = seeding.result()
    known = {seed.APP_SECRET: seeded.app_secret, seed.WEBHOOK_SECRET: seeded.webhook_secret, seed.SLACK_SECRET: seeded.slack_url}
    store_secrets(known)
    verify_addresses([seed.MAIL_FROM, seed.MAIL_TO])
    built = {name: future.result().path for name, future in archives.items()}
    console.note("templates")
    addresses = {"github_url": found.github.url, "api_url": found.github.api_url}
    # The environment that stands in for the image carries the digests of its lock and sources: as good as an immutable tag.
    work = found.aws_config.images["mlops-work"].bin.parent.name
    parameters = seed.parameters(seeded, **addresses, code_commit=commit.result(), work=work)
    artifacts = Artifacts(built["agent"], built["server"], machines=project / "stepfunctions", templates=project / "cloudformation")
    outputs = {**deploy(CloudFormationStacks.of_environment(), parameters, artifacts), "Region": found.aws_config.region}
    seed.connect(admin, seeded, outputs, aws_url=found.aws.endpoint)
    return outputs
