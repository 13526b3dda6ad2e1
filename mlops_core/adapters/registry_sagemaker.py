"""The SageMaker model registry: groups and packages.

Package versions are integers there; the semantic version, run, commit and dataset live in ``CustomerMetadataProperties``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.errors import NotFound
from mlops_core.facts import Package
from mlops_core.settings import Settings


class SageMakerRegistry:
    """Model package groups of one account and region."""

    def __init__(self, client: Any, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def ensure_group(self, group: str, description: str) -> None:
        """Make a group unless it exists."""
        with translated(f"making model group {group}"):
            try:
                self._client.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription=description)
            except ClientError as error:
                if not (is_code(error, "ResourceInUse", "ConflictException") or "already exists" in str(error)):
                    raise

    def register(self, group: str, *, model_uri: str, properties: Mapping[str, str], description: str) -> str:
        """Register a version and return its ARN."""
        container = {"Image": self._settings.require("serve_image"), "ModelDataUrl": model_uri}
        specification = {
            "Containers": [container],
            "SupportedContentTypes": ["application/json", "text/csv"],
            "SupportedResponseMIMETypes": ["application/json", "text/csv"],
        }
        with translated(f"registering a version of {group}"):
            answer = self._client.create_model_package(
                ModelPackageGroupName=group,
                ModelPackageDescription=description[:1024],
                InferenceSpecification=specification,
                ModelApprovalStatus="PendingManualApproval",
                CustomerMetadataProperties=dict(properties),
            )
        return str(answer["ModelPackageArn"])

    def describe(self, arn: str) -> Package:
        """One version; `NotFound`."""
        with translated(f"looking at model package {arn}"):
            try:
                found = self._client.describe_model_package(ModelPackageName=arn)
            except ClientError as error:
                if is_code(error, "ResourceNotFound") or "does not exist" in str(error):
                    raise NotFound(f"there is no model package {arn}.") from error
                raise
        container = found["InferenceSpecification"]["Containers"][0]
        properties = found.get("CustomerMetadataProperties", {})
        return _package(found, model_uri=container.get("ModelDataUrl", ""), properties=properties)

    def packages(self, group: str) -> list[Package]:
        """Versions of a group, newest first (empty for an unknown group); properties are filled by `describe` only."""
        pages = self._client.get_paginator("list_model_packages")
        with translated(f"listing model group {group}"):
            try:
                found = [
                    item
                    for page in pages.paginate(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending")
                    for item in page["ModelPackageSummaryList"]
                ]
            except ClientError as error:
                if is_code(error, "ResourceNotFound") or "does not exist" in str(error):
                    return []
                raise
        return [_package(item, model_uri="", properties={}) for item in found]

    def approve(self, arn: str, *, approved: bool, reason: str) -> None:
        """Set the approval status."""
        status = "Approved" if approved else "Rejected"
        with translated(f"approving {arn}"):
            self._client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=reason[:1024])

    def delete(self, arn: str) -> None:
        """Remove a version (no error when absent)."""
        with translated(f"removing {arn}"):
            try:
                self._client.delete_model_package(ModelPackageName=arn)
            except ClientError as error:
                if not (is_code(error, "ResourceNotFound") or "does not exist" in str(error)):
                    raise


def _package(found: Mapping[str, Any], *, model_uri: str, properties: Mapping[str, str]) -> Package:
    return Package(
        arn=found["ModelPackageArn"],
        group=found.get("ModelPackageGroupName", ""),
        number=int(found.get("ModelPackageVersion", 0)),
        status=found.get("ModelPackageStatus", ""),
        approval=found.get("ModelApprovalStatus", ""),
        model_uri=model_uri,
        properties=dict(properties),
        created=found.get("CreationTime"),
    )
