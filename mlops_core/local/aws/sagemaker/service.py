"""The service as its host sees it: one call for every request, and what the host needs to authorise it.

service = create(host, config)
status, headers, body = await service.handle("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}, b"{}", {})
service.close()
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from mlops_core.local.aws.host import Host
from mlops_core.local.aws.sagemaker import access, cloudformation
from mlops_core.local.aws.sagemaker.capture import Capture
from mlops_core.local.aws.sagemaker.endpoints import Endpoints
from mlops_core.local.aws.sagemaker.errors import ApiError, internal, validation
from mlops_core.local.aws.sagemaker.hosting import Hosting
from mlops_core.local.aws.sagemaker.housekeeper import Housekeeper, attempt
from mlops_core.local.aws.sagemaker.invoke import Invocations
from mlops_core.local.aws.sagemaker.job_api import JobApi, Operation
from mlops_core.local.aws.sagemaker.load import Load
from mlops_core.local.aws.sagemaker.platform import Config, Platform
from mlops_core.local.aws.sagemaker.registry import Registry
from mlops_core.local.aws.sagemaker.store import Record
from mlops_core.local.aws.sagemaker.support import SUPPORTED, refuse_unsupported
from mlops_core.local.aws.sagemaker.tags import Tags
from mlops_core.local.aws.sagemaker.traffic import Traffic

LOG = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], bytes]
JSON = "application/x-amz-json-1.1"


class Service:
    """SageMaker's control and runtime API."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._tags = tags = Tags(platform.store, self._exists)
        self._jobs = JobApi(platform, tags)
        self._registry = Registry(platform, tags)
        self._hosting = Hosting(platform, tags, self._registry)
        self.endpoints = Endpoints(platform, tags, self._hosting)
        self._operations: dict[str, Operation] = {
            **self._jobs.operations(),
            "AddTags": lambda request, _: tags.add(request),
            "ListTags": lambda request, _: tags.list(request),
            "DeleteTags": lambda request, _: tags.remove(request),
        }
        self._operations |= {**self._registry.operations(), **self._hosting.operations(), **self.endpoints.operations()}
        traffic, load = Traffic(platform.host), Load(platform.host, self.endpoints.sessions)
        self._capture = Capture(platform.host, platform.settings.folder / "capture", platform.settings.seed)
        self.invocations = Invocations(platform, self.endpoints, capture=self._capture, traffic=traffic)
        self._resumed = False
        self._resuming = threading.Lock()
        settings = platform.settings
        self._last = (traffic.publish, self._capture.flush)
        self._housekeepers = (
            Housekeeper(
                [
                    (settings.metric_interval_s, traffic.publish),
                    (settings.metric_interval_s, load.publish),
                    (settings.capture_interval_s, self._capture.flush),
                ]
            ),
            Housekeeper([(settings.revive_interval_s, self.endpoints.revive)]),  # of its own: it waits for programs to become healthy
        )

    def resume(self) -> None:
        """Close lost jobs and serve endpoints again; once, as soon as the host's own state (roles, objects, rules) is there.

        The first request does it when the host does not call it earlier.
        """
        if self._resumed:
            return
        with self._resuming:  # a request that comes meanwhile waits, so that its new job is not taken for a lost one
            if not self._resumed:
                self._jobs.close_lost()
                self.endpoints.restore()
                self._resumed = True

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> Answer:  # noqa: ARG002 (the host's signature)
        """Answer one request: the JSON API at ``/``, the runtime below ``/endpoints/``."""
        self.resume()
        lower = {name.lower(): value for name, value in headers.items()}
        content = JSON
        try:
            if path.startswith("/endpoints/"):
                content = "application/json"
                return await self._runtime(method, path, headers=lower, body=body)
            status, payload = 200, self._control(lower, body)
        except ApiError as error:
            return (
                error.status,
                {"Content-Type": content, "x-amzn-RequestId": str(uuid.uuid4()), "x-amzn-ErrorType": error.code},
                error.body(),
            )
        except Exception as error:  # the outermost edge: a defect answers as AWS would, and is logged
            LOG.exception("request failed")
            status, payload = 500, internal(f"{type(error).__name__}: {error}").body()
        return status, {"Content-Type": content, "x-amzn-RequestId": str(uuid.uuid4())}, payload

    def action(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """The IAM action of a request; None when it is not for this service."""
        return access.action(method, path, headers)

    def resource_arn(self, action: str, body: bytes | Mapping[str, Any], path: str) -> str | None:
        """The ARN that policies are evaluated against; None for operations on no single resource (``*``)."""
        return access.resource_arn(action, _lenient(body), path, arn=self._platform.arn)

    def condition_context(self, action: str, body: bytes | Mapping[str, Any]) -> dict[str, Any]:
        """IAM condition keys and their values (text, or lists of text)."""
        request = _lenient(body)
        arn = access.resource_arn(action, request, "/", arn=self._platform.arn)
        owned = self._tags.of(arn) if arn else []
        keys = ("aws:ResourceTag", "sagemaker:ResourceTag")
        tagged = {f"{key}/{tag['Key']}": tag["Value"] for tag in owned for key in keys}
        return {**tagged, **access.condition_context(action, request)}

    def cloudformation_types(self) -> dict[str, dict[str, Callable[..., Any]]]:
        """Handlers by resource type; see `cloudformation.types`."""
        return cloudformation.types(lambda operation, request: self._call(operation, request, {}))

    def queue(self) -> list[str]:
        """Jobs that wait for a free core, first to start first."""
        return self._jobs.jobs.waiting()

    def close(self) -> None:
        """End every program; records stay, and the next `create` on them serves again."""
        self._jobs.jobs.close()
        self.endpoints.close()
        for housekeeper in self._housekeepers:
            housekeeper.close()
        for work in self._last:
            attempt(work)
        self._platform.announcer.close()
        self._platform.launcher.close()

    async def _runtime(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        found = access.RUNTIME_PATH.fullmatch(path)
        if not found or method != "POST":
            raise ApiError("UnknownOperationException", f"SageMaker Runtime has no operation {method} {path[:200]}.", 404)
        if found["what"] != "invocations":
            raise ApiError("ValidationError", f"{found['what']} is not supported by the local platform; use invocations.")
        return await self.invocations.invoke(unquote(found["endpoint"]), headers, body)

    def _control(self, headers: Mapping[str, str], body: bytes) -> bytes:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        model = self._platform.model
        if operation not in model.operations:
            raise ApiError("UnknownOperationException", f"SageMaker has no operation '{operation[:80]}'.", 400)
        if operation not in SUPPORTED:
            raise validation(f"{operation} is not supported by the local platform; docs/reference/local-sagemaker.md lists what is.")
        answer = self._call(operation, _parse(body), headers)
        return json.dumps(answer).encode() if answer or model.output_shape(operation) else b""

    def _call(self, operation: str, request: Record, headers: Mapping[str, str]) -> Record:
        model = self._platform.model
        model.check_request(operation, request)
        request = without_nulls(request)
        refuse_unsupported(operation, request)
        for check in access.further_checks(operation, request, arn=self._platform.arn) if headers else ():
            self._platform.check_caller(headers, check)
        answer = self._operations[operation](request, headers)
        model.check_response(operation, answer)
        return answer

    def _exists(self, arn: str) -> bool:
        _, _, rest = arn.partition(f"arn:aws:sagemaker:{self._platform.settings.region}:{self._platform.settings.account}:")
        resource, _, name = rest.partition("/")
        return self._platform.store.get(f"{resource}s", name) is not None


def _parse(body: bytes) -> Record:
    try:
        request = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ApiError("SerializationException", f"The request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise ApiError("SerializationException", "The request is not a JSON object.")
    return request


def _lenient(body: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """A body for authorisation only: what is no JSON object names nothing, and the operation itself refuses it."""
    if isinstance(body, Mapping):
        return body
    try:
        return _parse(body)
    except ApiError:
        return {}


def without_nulls(value: Any) -> Any:
    """The request without members that are null, which AWS treats as absent."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def create(host: Host, config: Config) -> Service:
    """Open the service on its state folder: records are read, programs that an earlier process left are killed."""
    return Service(Platform.open(host, config))
