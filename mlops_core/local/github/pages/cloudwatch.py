"""Three read-only CloudWatch calls, signed by hand so that this server needs no AWS SDK.

    watch = CloudWatch(config.cloudwatch)
    watch.call("ListDashboards", {})

Signature Version 4 as AWS documents it; the JSON protocol of the service GraniteServiceVersion20100801.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any

from mlops_core.local.github.answers import ApiError
from mlops_core.local.github.config import CloudWatchConfig

_TIMEOUT_S = 10.0


def _digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class CloudWatch:
    """Calls one endpoint with one pair of keys; a failure is a 502 that says what CloudWatch said."""

    def __init__(self, config: CloudWatchConfig) -> None:
        self._config = config
        bundle = config.environment.get("AWS_CA_BUNDLE")
        handlers: list[Any] = [urllib.request.ProxyHandler({})]
        if config.endpoint.startswith("https"):
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle)))
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """One operation's answer."""
        body = json.dumps(parameters).encode()
        headers = self._signed(operation, body)
        request = urllib.request.Request(f"{self._config.endpoint}/", body, headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(502, f"CloudWatch refused {operation}: {error.read(500).decode(errors='replace')}") from error
        except (OSError, ValueError) as error:
            raise ApiError(502, f"CloudWatch at {self._config.endpoint} does not answer: {error}") from error
        return found if isinstance(found, dict) else {}

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        environment = self._config.environment
        headers = {
            "content-type": "application/x-amz-json-1.0", "host": urllib.parse.urlsplit(self._config.endpoint).netloc, "x-amz-date": moment,
            "x-amz-target": f"GraniteServiceVersion20100801.{operation}",
        }  # fmt: skip
        if environment.get("AWS_SESSION_TOKEN"):
            headers["x-amz-security-token"] = environment["AWS_SESSION_TOKEN"]
        names = ";".join(sorted(headers))
        lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
        canonical = "\n".join(["POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
        scope = f"{moment[:8]}/{self._config.region}/monitoring/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + environment.get("AWS_SECRET_ACCESS_KEY", "")).encode()
        for part in scope.split("/"):
            key = _digest(key, part)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        credential = f"{environment.get('AWS_ACCESS_KEY_ID', '')}/{scope}"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return headers
