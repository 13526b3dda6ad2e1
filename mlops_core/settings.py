"""The only reader of environment variables.

    settings = from_environment(os.environ)
    settings.require("bucket")        # the value, or EnvironmentBroken naming MLOPS_BUCKET

One table maps each setting to its variable; templates and tests use the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from mlops_core.errors import EnvironmentBroken


@dataclass(frozen=True)
class Settings:
    """Values of one process; empty when the process does not need them (field `x_y` is the variable ``MLOPS_X_Y``)."""

    bucket: str = ""
    table: str = ""
    word: str = ""
    server_function: str = ""
    pipeline_arn: str = ""
    deploy_arn: str = ""
    work_image: str = ""
    serve_image: str = ""
    job_role_arn: str = ""
    endpoint_role_arn: str = ""
    signing_key_id: str = ""
    data_key_arn: str = ""
    alarm_topic_arn: str = ""
    github_app_id: str = ""
    github_app_secret: str = ""
    webhook_secret: str = ""
    repositories: str = ""
    owner_repository: str = ""
    slack_secret: str = ""
    mail_from: str = ""
    mail_to: str = ""
    trusted_sinks: str = ""
    cost_note: str = "billed"
    code_commit: str = ""
    log_level: str = "INFO"
    github_api_url: str = "https://api.github.com"
    github_server_url: str = "https://github.com"
    region: str = ""

    def require(self, name: str) -> str:
        """The non-empty value of a setting; `EnvironmentBroken` names the variable that is missing."""
        value = str(getattr(self, name))
        if not value:
            raise EnvironmentBroken(
                f"the setting {variable(name)} is empty.", remedy="Set it on the function or in the shell and try again."
            )
        return value


def key_alias(settings: Settings, kind: Literal["data", "signing"]) -> str:
    """The alias of one of the installation's two keys, as the templates name it: ``alias/<prefix>-data``, the prefix being the table's."""
    return f"alias/{settings.table.removesuffix('-ledger') or 'mlops'}-{kind}"


_OTHER_NAMES = {"github_api_url": "GITHUB_API_URL", "github_server_url": "GITHUB_SERVER_URL", "region": "AWS_REGION"}


def variable(name: str) -> str:
    """The environment variable of a setting: ``bucket`` -> ``MLOPS_BUCKET``."""
    return _OTHER_NAMES.get(name, f"MLOPS_{name.upper()}")


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Settings of a process; unset variables keep their defaults."""
    found = {item.name: environ[variable(item.name)] for item in fields(Settings) if environ.get(variable(item.name))}
    return Settings(**found)
