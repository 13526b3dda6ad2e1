"""Registers a service of ours so that MiniStack routes, authenticates and authorises its calls like any other's."""

from __future__ import annotations

import json
import re
import sys
import types
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Protocol
from urllib.parse import parse_qs

from mlops_core.local.aws.hooks.names import private

_INVOCATIONS = re.compile(r"^/endpoints/[^/]+/invocations$")


class Service(Protocol):
    """What a registered service offers; `mlops_core.local.aws.sagemaker.service` implements it."""

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one request whose signer was authenticated and authorised."""

    def resource_arn(self, action: str, body: bytes, path: str) -> str | None:
        """The ARN that an action touches, None for ``*``."""

    def condition_context(self, action: str, body: bytes) -> Mapping[str, Any]:
        """The service's own condition keys for a request, for example ``sagemaker:InstanceTypes``."""

    def cloudformation_types(self) -> Mapping[str, Mapping[str, Any]]:
        """CloudFormation types by name, each with ``create``, ``delete`` and perhaps ``update``."""

    def resume(self) -> None:
        """Take up what an earlier process left, once the host's own state is back."""

    def close(self) -> None:
        """Stop everything the service started."""


def install(service: Service) -> None:
    """Route SageMaker's control calls and ``InvokeEndpoint`` (both signed as ``sagemaker``) to the service."""
    app, router, actions, services = private("app"), private("core.router"), private("core.iam_actions"), private("services")

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        return await service.handle(method, path, headers, body, query)

    module = types.ModuleType("ministack.services.sagemaker")
    module.handle_request = handle_request  # type: ignore[attr-defined]
    sys.modules[module.__name__] = services.sagemaker = module
    app.SERVICE_REGISTRY["sagemaker"] = {"module": "sagemaker"}
    app.SERVICE_HANDLERS["sagemaker"] = app._lazy_handler("sagemaker")
    router.SERVICE_PATTERNS["sagemaker"] = {"target_prefixes": ["SageMaker."]}
    actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    _authorise(actions, service)


def _authorise(actions: Any, service: Service) -> None:
    action_of, arn_of, context_of = actions.extract_iam_action, actions.extract_resource_arn, actions.request_tag_context

    def action(name: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if name != "sagemaker":
            return action_of(name, method, path, headers, body, query)
        if method == "POST" and _INVOCATIONS.match(path):
            return "sagemaker:InvokeEndpoint"
        target = str(headers.get("x-amz-target", ""))
        # No action must never mean no check: an unnamed call is authorised as one that no policy grants.
        return f"sagemaker:{target.partition('.')[2] or 'Unknown'}"

    def arn(name: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        named = _named(actions, name, body, rest)
        if named:
            return named
        if name != "sagemaker":
            return _lambda_qualifier(name, path, rest[0], arn_of(name, method, path, headers, body, *rest))
        called = action(name, method, path, headers, body, {}).partition(":")[2]
        return service.resource_arn(called, body, path) or "*"

    def context(name: str, iam_action: str, body: bytes, params: Any) -> Any:
        plain = {} if iam_action == "sagemaker:InvokeEndpoint" else (context_of(name, iam_action, body, params) or {})
        if name == "sagemaker":
            return {**plain, **service.condition_context(iam_action.partition(":")[2], body)}
        return {**plain, **_leading_keys(name, body), **_sender(name, body)}

    actions.extract_iam_action, actions.extract_resource_arn, actions.request_tag_context = action, arn, context


def _named(actions: Any, name: str, body: bytes, rest: tuple[Any, ...]) -> str:
    """The resource of calls for which MiniStack asks for ``*`` although IAM knows one; empty for all others."""
    query, region, account = rest[:3]
    if name == "monitoring":  # the ARN of a dashboard has no region
        dashboard = actions._param(body, query, "DashboardName")
        return f"arn:aws:cloudwatch::{account}:dashboard/{dashboard}" if dashboard else ""
    if name == "ses":  # a message is sent as an identity
        sender = parseaddr(str(actions._param(body, query, "Source") or ""))[1]
        return f"arn:aws:ses:{region}:{account}:identity/{sender}" if sender else ""
    return ""


def _leading_keys(name: str, body: bytes) -> dict[str, Any]:
    """The partition key that a call on one item names (``dynamodb:LeadingKeys``), which MiniStack leaves out."""
    if name != "dynamodb":
        return {}
    try:
        asked = json.loads(body)
        item = asked.get("Key") or asked.get("Item") or {}
        table = private("services.dynamodb")._tables.get(str(asked.get("TableName", "")).rsplit("/", 1)[-1])
        return {"dynamodb:LeadingKeys": [str(next(iter(item[table["pk_name"]].values())))]} if table else {}
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return {}


def _sender(name: str, body: bytes) -> dict[str, str]:
    """The address that a message is sent from (``ses:FromAddress``), which MiniStack leaves out."""
    source = parse_qs(body.decode("utf-8", "replace")).get("Source", [""])[0] if name == "ses" else ""
    return {"ses:FromAddress": parseaddr(source)[1]} if source else {}


def _lambda_qualifier(name: str, path: str, query: Any, arn: Any) -> Any:
    """Invoke with ``Qualifier=`` acts on the qualified ARN, as on AWS; MiniStack leaves the qualifier out."""
    if name != "lambda" or not path.endswith("/invocations") or not isinstance(arn, str) or ":function:" not in arn:
        return arn
    qualifier = (query.get("Qualifier") or [""])[0] if isinstance(query, Mapping) else ""
    plain = arn.split(":function:", 1)[1]
    return f"{arn}:{qualifier}" if qualifier and ":" not in plain else arn
