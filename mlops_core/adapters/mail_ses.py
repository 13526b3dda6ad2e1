"""E-mail by SES."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_core.adapters.aws_errors import translated


class SesMail:
    """Plain-text messages from a verified sender."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, *, sender: str, recipients: Sequence[str], subject: str, text: str) -> None:
        """Send plain text."""
        message = {"Subject": {"Data": subject, "Charset": "UTF-8"}, "Body": {"Text": {"Data": text, "Charset": "UTF-8"}}}
        with translated("sending a message"):
            self._client.send_email(Source=sender, Destination={"ToAddresses": list(recipients)}, Message=message)

    def verify(self, address: str) -> None:
        """Ask for the proof that an address is ours; repeating it changes nothing once it was given."""
        with translated(f"verifying {address}"):
            self._client.verify_email_identity(EmailAddress=address)
