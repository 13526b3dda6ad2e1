"""Secrets Manager."""

from __future__ import annotations

from typing import Any

from mlops_core.adapters.aws_errors import translated


class SecretsManager:
    """Secrets of one account and region; values are never logged."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, secret_id: str) -> str:
        """The current value; `NotFound` names the id, never a value."""
        with translated(f"reading secret {secret_id}"):
            return str(self._client.get_secret_value(SecretId=secret_id)["SecretString"])
