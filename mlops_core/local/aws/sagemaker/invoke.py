"""InvokeEndpoint: from the request to a serving process and back.

    status, headers, body = await Invocations(platform, endpoints, capture=capture, traffic=traffic).invoke("census", headers, body)

Source: "InvokeEndpoint" (Amazon SageMaker Runtime API reference).
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Mapping

from mlops_core.local.aws.sagemaker.capture import Capture, Exchange
from mlops_core.local.aws.sagemaker.endpoints import Endpoints
from mlops_core.local.aws.sagemaker.errors import ApiError
from mlops_core.local.aws.sagemaker.fleet import Deployment, Variant
from mlops_core.local.aws.sagemaker.http_pool import HttpAnswer
from mlops_core.local.aws.sagemaker.platform import Platform
from mlops_core.local.aws.sagemaker.traffic import Traffic

Answer = tuple[int, dict[str, str], bytes]
MAX_BODY_BYTES = 6_291_456
TIMEOUT_S = 60.0
PREFIX = "x-amzn-sagemaker-"
UNSUPPORTED = ("target-model", "target-container-hostname", "enable-explanations", "inference-component", "session-id", "prefix-aware-id")
ATTRIBUTES_LIMIT = 1024


class Invocations:
    """The runtime API."""

    def __init__(self, platform: Platform, endpoints: Endpoints, *, capture: Capture, traffic: Traffic) -> None:
        self._platform = platform
        self._endpoints = endpoints
        self._capture = capture
        self._traffic = traffic
        self.timeout_s = TIMEOUT_S

    async def invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One invocation; header names are lower-case. ApiError for what AWS refuses before the container sees it."""
        started = time.perf_counter()
        check(headers, body)
        deployment = self._endpoints.live(endpoint)
        if deployment is None:
            raise self._absent(endpoint)
        variant = self._variant(deployment, headers.get(PREFIX + "target-variant"))
        asked = time.perf_counter()
        answer = await self._ask(variant, headers, body)
        answered = time.perf_counter()
        result = self._result(endpoint, variant, answer)
        if deployment.plan["Capture"] and deployment.plan["Capture"].get("EnableCapture") and 200 <= answer.status < 300:
            exchange = Exchange(body, headers.get("content-type", ""), answer.body, *described(answer, headers))
            if self._capture.take(endpoint, variant.name, plan=deployment.plan, exchange=exchange):
                asyncio.get_running_loop().run_in_executor(None, self._capture.flush)
        model_us = (answered - asked) * 1e6
        overhead_us = (time.perf_counter() - started) * 1e6 - model_us
        self._traffic.count(endpoint, variant.name, status=answer.status, model_us=model_us, overhead_us=overhead_us)
        return result

    def _absent(self, endpoint: str) -> ApiError:
        if self._endpoints.known(endpoint):
            return ApiError(
                "ServiceUnavailable", f"Endpoint {endpoint} does not serve yet; describe it and try again when it is InService.", 503
            )
        return ApiError("ValidationError", f"Endpoint {endpoint} of account {self._platform.settings.account} not found.")

    def _variant(self, deployment: Deployment, target: str | None) -> Variant:
        if target is not None:
            if target not in deployment.variants:
                raise ApiError("ValidationError", f"Variant {target} not found; choose one of {', '.join(deployment.variants)}.")
            return deployment.variants[target]
        chosen = deployment.choose()
        if chosen is None:
            raise ApiError("ServiceUnavailable", "Every variant has weight 0; give one a weight or name it in TargetVariant.", 503)
        return chosen

    async def _ask(self, variant: Variant, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        worker = variant.worker()
        if worker is None:
            return failed("the serving process is not running")
        try:
            return await worker.pool.post("/invocations", forwarded(headers), body, timeout_s=self.timeout_s)
        except TimeoutError:
            return failed("Your invocation timed out while waiting for a response from container primary")
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            return failed(f"the container broke off the answer ({type(error).__name__})")

    def _result(self, endpoint: str, variant: Variant, answer: HttpAnswer) -> Answer:
        if not 200 <= answer.status < 300:
            return self._model_error(endpoint, variant, answer)
        out = {
            "Content-Type": answer.headers.get("content-type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": variant.name,
        }
        if PREFIX + "custom-attributes" in answer.headers:
            out["X-Amzn-SageMaker-Custom-Attributes"] = answer.headers[PREFIX + "custom-attributes"]
        return 200, {**out, "x-amzn-RequestId": str(uuid.uuid4())}, answer.body

    def _model_error(self, endpoint: str, variant: Variant, answer: HttpAnswer) -> Answer:
        side = "client" if 400 <= answer.status < 500 else "server"
        text = answer.body.decode("utf-8", "replace")[:4096]
        settings = self._platform.settings
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        where = f"See {group} in account {settings.account} for more information."
        body = {
            "Message": f'Received {side} error ({answer.status}) from primary with message "{text}". {where}',
            "OriginalStatusCode": answer.status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{settings.region}:{settings.account}:log-group:{group}",
        }
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "ModelError", "x-Amzn-Invoked-Production-Variant": variant.name}
        return 424, headers, json.dumps(body).encode()


def check(headers: Mapping[str, str], body: bytes) -> None:
    """ApiError for a body or headers that InvokeEndpoint does not take here."""
    if len(body) > MAX_BODY_BYTES:
        raise ApiError("413", f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.", 413)
    for name in UNSUPPORTED:
        if PREFIX + name in headers:
            shown = "-".join(word.title() for word in name.split("-"))
            raise ApiError("ValidationError", f"X-Amzn-SageMaker-{shown} is not supported by the local platform; remove it.")
    if len(headers.get(PREFIX + "custom-attributes", "")) > ATTRIBUTES_LIMIT:
        raise ApiError("ValidationError", f"CustomAttributes is longer than {ATTRIBUTES_LIMIT} characters.")


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """What of a request's headers reaches the container."""
    out = {"Content-Type": headers.get("content-type", "application/octet-stream"), "Accept": headers.get("accept", "*/*")}
    for name, shown in (("custom-attributes", "Custom-Attributes"), ("inference-id", "Inference-Id")):
        if PREFIX + name in headers:
            out[f"X-Amzn-SageMaker-{shown}"] = headers[PREFIX + name]
    return out


def described(answer: HttpAnswer, headers: Mapping[str, str]) -> tuple[str, str, str]:
    """The answer's type, the inference id and the custom attributes, for the capture."""
    attributes = answer.headers.get(PREFIX + "custom-attributes", headers.get(PREFIX + "custom-attributes", ""))
    return answer.headers.get("content-type", ""), headers.get(PREFIX + "inference-id", ""), attributes


def failed(reason: str) -> HttpAnswer:
    """An answer for a container that gave none; status 0 counts as a server error."""
    return HttpAnswer(0, {}, reason.encode())
