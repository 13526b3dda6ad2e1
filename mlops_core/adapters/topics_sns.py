"""SNS topics."""

from __future__ import annotations

from typing import Any

from mlops_core.adapters.aws_errors import translated


class SnsTopics:
    """Topics of one account and region."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def publish(self, topic_arn: str, subject: str, text: str) -> None:
        """Send a message to a topic; subjects are one ASCII line of at most 100 characters, as SNS demands."""
        line = subject.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")[:100]
        with translated("publishing a message"):
            self._client.publish(TopicArn=topic_arn, Subject=line, Message=text)
