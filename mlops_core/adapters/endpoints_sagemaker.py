"""SageMaker models, endpoint configs and endpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.errors import Conflict, NotFound, Stale
from mlops_core.facts import Answer, Capture, EndpointFacts, Variant
from mlops_core.settings import Settings


class SageMakerEndpoints:
    """Served models of one account and region."""

    def __init__(self, client: Any, runtime: Any, settings: Settings) -> None:
        self._client = client
        self._runtime = runtime
        self._settings = settings

    def create_model(self, name: str, *, model_uri: str, environment: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Make a model of the serving image and an archive; `Conflict` when the name exists."""
        container = {"Image": self._settings.require("serve_image"), "ModelDataUrl": model_uri, "Environment": dict(environment)}
        role = self._settings.require("endpoint_role_arn")
        self._create("create_model", name, ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role, Tags=_tags(tags))

    def create_config(self, name: str, variants: Sequence[Variant], *, capture: Capture | None, tags: Mapping[str, str]) -> None:
        """Make an endpoint config; `Conflict` when the name exists."""
        production = [
            {
                "VariantName": item.name,
                "ModelName": item.model,
                "InstanceType": item.instance_type,
                "InitialInstanceCount": item.instances,
                "InitialVariantWeight": item.weight,
            }
            for item in variants
        ]
        optional: dict[str, Any] = {"KmsKeyId": self._settings.data_key_arn} if self._settings.data_key_arn else {}
        if capture is not None:
            optional["DataCaptureConfig"] = _capture(capture, self._settings.data_key_arn)
        self._create("create_endpoint_config", name, EndpointConfigName=name, ProductionVariants=production, Tags=_tags(tags), **optional)

    def configs(self, contains: str) -> list[str]:
        """Names of configs that contain a text, newest first."""
        pages = self._client.get_paginator("list_endpoint_configs")
        with translated("listing endpoint configs"):
            return [
                item["EndpointConfigName"]
                for page in pages.paginate(NameContains=contains, SortBy="CreationTime", SortOrder="Descending")
                for item in page["EndpointConfigs"]
            ]

    def delete_config(self, name: str) -> None:
        """Remove a config (no error when absent)."""
        self._delete("delete_endpoint_config", EndpointConfigName=name)

    def delete_model(self, name: str) -> None:
        """Remove a model (no error when absent)."""
        self._delete("delete_model", ModelName=name)

    def create(self, endpoint: str, config_name: str, *, tags: Mapping[str, str]) -> None:
        """Make an endpoint; `Conflict` when the name exists."""
        self._create("create_endpoint", endpoint, EndpointName=endpoint, EndpointConfigName=config_name, Tags=_tags(tags))

    def update(self, endpoint: str, config_name: str) -> None:
        """Point an endpoint to another config; `Stale` while it is changing."""
        with translated(f"updating endpoint {endpoint}"):
            try:
                self._client.update_endpoint(EndpointName=endpoint, EndpointConfigName=config_name)
            except ClientError as error:
                if is_code(error, "ValidationException") and ("Updating" in str(error) or "Creating" in str(error)):
                    raise Stale(f"endpoint {endpoint} is changing now.", remedy="Call again when it is in service.") from error
                raise

    def delete(self, endpoint: str) -> None:
        """Remove an endpoint (no error when absent)."""
        self._delete("delete_endpoint", EndpointName=endpoint)

    def describe(self, endpoint: str) -> EndpointFacts | None:
        """Facts of an endpoint, None when there is none."""
        with translated(f"looking at endpoint {endpoint}"):
            try:
                found = self._client.describe_endpoint(EndpointName=endpoint)
            except ClientError as error:
                if _is_missing(error):
                    return None
                raise
        weights = {item["VariantName"]: float(item.get("CurrentWeight", 0.0)) for item in found.get("ProductionVariants", [])}
        return EndpointFacts(
            endpoint, found["EndpointStatus"], found.get("EndpointConfigName", ""), weights, found.get("FailureReason", "")
        )

    def invoke(self, endpoint: str, body: bytes, *, content_type: str = "application/json") -> Answer:
        """One prediction; answers of the model container, errors included, come back as an `Answer`."""
        begin = time.perf_counter()
        with translated(f"asking endpoint {endpoint}"):
            try:
                found = self._runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, Accept="application/json")
            except ClientError as error:
                if not is_code(error, "ModelError"):
                    raise
                text = str(error.response.get("OriginalMessage", ""))
                return Answer(int(str(error.response.get("OriginalStatusCode", 500))), text.encode(), "", "", _since(begin))
            content: bytes = found["Body"].read()
        return Answer(200, content, found.get("CustomAttributes", ""), found.get("InvokedProductionVariant", ""), _since(begin))

    def _create(self, operation: str, name: str, **request: Any) -> None:
        with translated(f"making {name}"):
            try:
                getattr(self._client, operation)(**request)
            except ClientError as error:
                if is_code(error, "ResourceInUse") or "already existing" in str(error):
                    raise Conflict(f"{name} exists already.", code="E-NAME-TAKEN") from error
                raise

    def _delete(self, operation: str, **request: str) -> None:
        with translated(f"removing {next(iter(request.values()))}"):
            try:
                getattr(self._client, operation)(**request)
            except ClientError as error:
                if not _is_missing(error):
                    raise


def _capture(capture: Capture, key: str) -> dict[str, Any]:
    content_types = {"JsonContentTypes": ["application/json", "application/jsonlines"], "CsvContentTypes": ["text/csv"]}
    config: dict[str, Any] = {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.uri,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": content_types,
    }
    return config | ({"KmsKeyId": key} if key else {})


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _is_missing(error: ClientError) -> bool:
    # SageMaker names a missing model, config or endpoint by ValidationException: "Could not find …".
    return is_code(error, "ResourceNotFound") or "Could not find" in str(error) or "not find" in str(error)


def _missing(error: ClientError, text: str) -> Exception:
    return NotFound(text) if _is_missing(error) else error


def _since(begin: float) -> float:
    return (time.perf_counter() - begin) * 1000
