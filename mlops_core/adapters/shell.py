"""The SDK session of a person's shell: credentials, region and endpoint as the environment names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from mlops_core.adapters.mail_ses import SesMail
from mlops_core.adapters.secrets_secretsmanager import SecretsManager


def session_of_shell() -> Any:
    """A session of the environment's credentials."""
    return boto3.Session()


def store_secrets(values: Mapping[str, str]) -> None:
    """Create or replace secrets by id."""
    secrets = SecretsManager(session_of_shell().client("secretsmanager"))
    for name, value in values.items():
        secrets.store(name, value)


def verify_addresses(addresses: Sequence[str]) -> None:
    """Ask SES to verify addresses; on AWS each owner gets a message with a link, the local SES takes them at once."""
    mail = SesMail(session_of_shell().client("ses"))
    for address in addresses:
        mail.verify(address)
