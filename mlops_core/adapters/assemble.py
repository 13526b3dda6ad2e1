"""Joins adapters to ports, one function per place that runs capabilities.

    ports_for_server(os.environ)          # the MCP server: its role, the GitHub App
    ports_for_cli(os.environ)             # a person's shell
    ports_for_actions(session, token, …)  # a workflow's job

Clients are made when they are first used: a cold start pays for what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from mlops_core.adapters.clock_system import SystemClock
from mlops_core.adapters.endpoints_sagemaker import SageMakerEndpoints
from mlops_core.adapters.github_client import AppTokens, FixedToken, GithubClient, Tokens
from mlops_core.adapters.jobs_sagemaker import SageMakerJobs
from mlops_core.adapters.ledger_dynamodb import DynamoLedger
from mlops_core.adapters.machines_stepfunctions import StepFunctions
from mlops_core.adapters.mail_ses import SesMail
from mlops_core.adapters.objects_s3 import S3Objects
from mlops_core.adapters.registry_sagemaker import SageMakerRegistry
from mlops_core.adapters.repository_github import GithubRepository
from mlops_core.adapters.secrets_secretsmanager import SecretsManager
from mlops_core.adapters.signer_kms import KmsSigner
from mlops_core.adapters.watch_cloudwatch import CloudWatch
from mlops_core.adapters.web_http import HttpSink
from mlops_core.ports import Ports, Repository
from mlops_core.settings import Settings, from_environment, key_alias

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=70)
"""One call and at most three more of what may succeed later: throttles, 5xx, lost connections."""


class _Later:
    """A client that is made at its first use."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


def ports_for_server(environ: Mapping[str, str]) -> Ports:
    """Everything, as the server's role, with the App's tokens."""
    return _ports(boto3.Session(), from_environment(environ), None)


def ports_for_cli(environ: Mapping[str, str]) -> Ports:
    """Everything, as the credentials of a shell; GitHub by GITHUB_TOKEN when it is set, otherwise by the App's secret."""
    return _ports(boto3.Session(), from_environment(environ), environ.get("GITHUB_TOKEN"))


def ports_for_actions(session: Any, github_token: str, table: str, bucket: str, state_machine_arn: str, repository: str) -> Ports:
    """What a workflow's job may reach: the role's session and the job's own token."""
    import os

    settings = from_environment(os.environ)
    settings = replace(
        settings, table=table, bucket=bucket, pipeline_arn=state_machine_arn, repositories=repository, region=str(session.region_name or "")
    )
    return _ports(session, settings, github_token)


def repository_for_actions(github_token: str) -> Repository:
    """GitHub with a job's own token."""
    import os

    clock = SystemClock()
    return GithubRepository(GithubClient(FixedToken(github_token), api_url=from_environment(os.environ).github_api_url, clock=clock), clock)


def _ports(session: Any, settings: Settings, token: str | None) -> Ports:
    clock = SystemClock()

    def client(service: str) -> Any:
        return _Later(lambda: session.client(service, config=CONFIG))

    sagemaker = client("sagemaker")
    secrets = SecretsManager(client("secretsmanager"))
    tokens: Tokens = (
        FixedToken(token)
        if token
        else AppTokens(lambda: secrets.read(settings.require("github_app_secret")), settings.github_api_url, clock)
    )
    return Ports(
        settings=settings,
        clock=clock,
        ledger=DynamoLedger(client("dynamodb"), settings.table, clock),
        objects=S3Objects(client("s3"), key_alias(settings, "data")),
        jobs=SageMakerJobs(sagemaker, settings),
        endpoints=SageMakerEndpoints(sagemaker, client("sagemaker-runtime"), settings),
        registry=SageMakerRegistry(sagemaker, settings),
        machines=StepFunctions(client("stepfunctions")),
        signer=KmsSigner(client("kms"), settings),
        watch=CloudWatch(client("cloudwatch")),
        secrets=secrets,
        mail=SesMail(client("ses")),
        web=HttpSink(settings.trusted_sinks.split(",")),
        repository=GithubRepository(GithubClient(tokens, api_url=settings.github_api_url, clock=clock), clock),
    )
