"""What reached the operator: messages to the local Slack and e-mails that the local SES took."""

from __future__ import annotations

import json
import ssl
import urllib.request
from datetime import UTC, datetime
from typing import Any

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.config import CloudWatchConfig
from mlops_core.local.github.inbox import texts
from mlops_core.local.github.pages.view import Page, View

_TIMEOUT_S = 10.0
_SHOWN = 100


def show(view: View) -> Page:
    """Both lists, newest first; for people who signed in."""
    if view.identity.anonymous:
        raise ApiError(401, "Requires authentication")
    slack = [{"at": item["received_at"], "parts": texts(item["message"])} for item in view.site.inbox.messages("slack")[:_SHOWN]]
    source = view.site.config.cloudwatch
    return Page("inbox.html", {"slack": slack, "mails": _mails(source) if source else [], "asked": source is not None})


def _mails(source: CloudWatchConfig) -> list[dict[str, Any]]:
    found = [
        {
            "at": datetime.fromtimestamp(float(mail["Timestamp"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sender": str(mail["Source"]),
            "to": ", ".join(map(str, mail["To"])),
            "subject": str(mail["Subject"]),
            "text": str(mail["BodyText"] or ""),
        }
        for mails in _read(source).values()
        for mail in mails
    ]
    return sorted(found, key=lambda mail: str(mail["at"]), reverse=True)[:_SHOWN]


def _read(source: CloudWatchConfig) -> dict[str, list[dict[str, Any]]]:
    """MiniStack's own list of sent e-mails: SES itself offers no call that reads them back."""
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    if source.endpoint.startswith("https"):
        context = ssl.create_default_context(cafile=source.environment.get("AWS_CA_BUNDLE"))
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(f"{source.endpoint}/_ministack/ses/messages", timeout=_TIMEOUT_S) as answer:
            found: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
    except (OSError, ValueError, KeyError) as error:
        raise ApiError(502, f"the local SES at {source.endpoint} does not answer: {error}") from error
    return found
