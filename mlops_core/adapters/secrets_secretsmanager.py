"""Secrets Manager."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from mlops_core import journal
from mlops_core.adapters.aws_errors import is_code, translated


class SecretsManager:
    """Secrets of one account and region; values are never logged."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, secret_id: str) -> str:
        """The current value; `NotFound` names the id, never a value."""
        with translated(f"reading secret {secret_id}"):
            value = str(self._client.get_secret_value(SecretId=secret_id)["SecretString"])
        journal.learn(value)
        return value

    def store(self, secret_id: str, value: str) -> None:
        """Create a secret or replace its value."""
        with translated(f"storing secret {secret_id}"):
            try:
                self._client.create_secret(Name=secret_id, SecretString=value)
            except ClientError as error:
                if not is_code(error, "ResourceExistsException"):
                    raise
                self._client.put_secret_value(SecretId=secret_id, SecretString=value)
