"""The model registry: groups, and packages whose versions are integers that are never used twice.

    Registry(platform, tags).operations()["CreateModelPackage"](request, headers)

Source: "Model Registry" (AWS documentation).
"""

from __future__ import annotations

import re

from mlops_core.local.aws.sagemaker.errors import conflict, validation
from mlops_core.local.aws.sagemaker.job_api import Operation
from mlops_core.local.aws.sagemaker.jobs import event_detail
from mlops_core.local.aws.sagemaker.paging import Listing, page
from mlops_core.local.aws.sagemaker.platform import Platform, now
from mlops_core.local.aws.sagemaker.store import Record, public
from mlops_core.local.aws.sagemaker.tags import Tags

GROUPS, PACKAGES = "model-package-groups", "model-packages"
EVENT = "SageMaker Model Package State Change"
GROUP_LIST = Listing(
    key="ModelPackageGroupName",
    answer="ModelPackageGroupSummaryList",
    members=("ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription", "CreationTime", "ModelPackageGroupStatus"),
)
PACKAGE_LIST = Listing(
    key="ModelPackageArn",
    answer="ModelPackageSummaryList",
    members=(
        *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription", "CreationTime"),
        *("ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType"),
    ),
)
REPLACED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelLifeCycle",
    "SourceUri",
    "InferenceSpecification",
    "ModelCard",
    "ModelPackageRegistrationType",
)


class Registry:
    """Groups and packages."""

    def __init__(self, platform: Platform, tags: Tags) -> None:
        self._platform = platform
        self._store = platform.store
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """Every call by its name."""
        return {
            "CreateModelPackageGroup": lambda request, _: self.create_group(request),
            "DescribeModelPackageGroup": lambda request, _: public(self._group(request["ModelPackageGroupName"])),
            "ListModelPackageGroups": lambda request, _: page(self._store.all(GROUPS), request, GROUP_LIST),
            "DeleteModelPackageGroup": lambda request, _: self.delete_group(request),
            "CreateModelPackage": lambda request, _: self._create_package(request),
            "DescribeModelPackage": lambda request, _: public(self.package(request["ModelPackageName"])),
            "UpdateModelPackage": lambda request, _: self._update_package(request),
            "ListModelPackages": lambda request, _: self._list_packages(request),
            "DeleteModelPackage": lambda request, _: self._delete_package(request),
        }

    def create_group(self, request: Record) -> Record:
        """CreateModelPackageGroup."""
        name, tags = request["ModelPackageGroupName"], request.get("Tags", [])
        arn = self._platform.arn("model-package-group", name)
        self._tags.check(tags)
        with self._store.lock:
            if self._store.get(GROUPS, name) is not None:
                raise validation(f"Model Package Group already exists: {arn}")
            record = {key: value for key, value in request.items() if key != "Tags"}
            more = {"ModelPackageGroupArn": arn, "CreationTime": now(), "CreatedBy": {}, "ModelPackageGroupStatus": "Completed", "_last": 0}
            self._store.put(GROUPS, name, {**record, **more})
        self._tags.put(arn, tags)
        return {"ModelPackageGroupArn": arn}

    def delete_group(self, request: Record) -> Record:
        """DeleteModelPackageGroup; ConflictException while it holds packages."""
        group = self._group(request["ModelPackageGroupName"])
        name = group["ModelPackageGroupName"]
        if any(package.get("ModelPackageGroupName") == name for package in self._store.all(PACKAGES)):
            raise conflict(f"Model Package Group {name} cannot be deleted because it still contains Model Packages; delete those first.")
        self._store.delete(GROUPS, name)
        self._tags.forget(group["ModelPackageGroupArn"])
        return {}

    def package(self, name: str) -> Record:
        """A package by ARN or, when it is in no group, by name."""
        found = self._store.get(PACKAGES, name.rpartition(":model-package/")[2])
        if found is None:
            raise validation(f"ModelPackage {name} does not exist.")
        return found

    def _group(self, name: str) -> Record:
        found = self._store.get(GROUPS, name.rpartition("/")[2])
        if found is None:
            raise validation(f"ModelPackageGroup {name} does not exist.")
        return found

    def _create_package(self, request: Record) -> Record:
        check_package(request)
        self._check_images(request)
        token = request.get("ClientToken")
        with self._store.lock:
            earlier = next((one for one in self._store.all(PACKAGES) if token and one.get("_token") == token), None)
            if earlier is not None:
                return self._repeated(earlier, request)
            record = self._versioned(request) if "ModelPackageGroupName" in request else self._named(request)
            record |= {"_token": token, "_request": request} if token else {}
            self._store.put(PACKAGES, record["ModelPackageArn"].rpartition(":model-package/")[2], record)
        self._tags.put(record["ModelPackageArn"], request.get("Tags", []))
        self._announce(record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _repeated(self, earlier: Record, request: Record) -> Record:
        if earlier["_request"] != request:
            raise conflict("ClientToken was used with another request; choose a new one.")
        return {"ModelPackageArn": earlier["ModelPackageArn"]}

    def _versioned(self, request: Record) -> Record:
        group = self._group(request["ModelPackageGroupName"])
        name, version = group["ModelPackageGroupName"], group["_last"] + 1
        self._store.put(GROUPS, name, {**group, "_last": version})
        record = self._record(request, f"{name}/{version}", name)
        return {**record, "ModelPackageGroupName": name, "ModelPackageVersion": version}

    def _named(self, request: Record) -> Record:
        name = request["ModelPackageName"]
        self._tags.check(request.get("Tags", []))
        if self._store.get(PACKAGES, name) is not None:
            raise validation(f"Model Package already exists: {self._platform.arn('model-package', name)}")
        return self._record(request, name, name)

    def _record(self, request: Record, path: str, name: str) -> Record:
        record = {key: value for key, value in request.items() if key not in ("Tags", "ClientToken")}
        return {
            "ModelApprovalStatus": "PendingManualApproval",
            **record,
            "ModelPackageName": name,
            "ModelPackageArn": self._platform.arn("model-package", path),
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "CreatedBy": {},
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        }

    def _update_package(self, request: Record) -> Record:
        with self._store.lock:
            record = self.package(request["ModelPackageArn"])
            if "InferenceSpecification" in request and "InferenceSpecification" in record:
                raise validation("InferenceSpecification of a registered model package cannot be changed; register a new version.")
            self._check_images(request)
            metadata = {**record.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
            for key in request.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(key, None)
            if len(metadata) > 50:
                raise validation(f"{len(metadata)} CustomerMetadataProperties are more than the 50 a model package can have.")
            record |= {key: request[key] for key in REPLACED if key in request}
            record |= {"CustomerMetadataProperties": metadata} if metadata or "CustomerMetadataProperties" in record else {}
            record |= {"LastModifiedTime": now(), "LastModifiedBy": {}}
            self._store.put(PACKAGES, record["ModelPackageArn"].rpartition(":model-package/")[2], record)
        self._announce(record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _list_packages(self, request: Record) -> Record:
        packages = self._store.all(PACKAGES)
        kind = request.get("ModelPackageType", "Unversioned")
        if "ModelPackageGroupName" in request:
            name = self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]
            packages = [one for one in packages if one.get("ModelPackageGroupName") == name]
        elif kind != "Both":
            packages = [one for one in packages if ("ModelPackageGroupName" in one) == (kind == "Versioned")]
        if "ModelApprovalStatus" in request:
            packages = [one for one in packages if one.get("ModelApprovalStatus") == request["ModelApprovalStatus"]]
        if "NameContains" in request:
            packages = [one for one in packages if request["NameContains"].lower() in one["ModelPackageName"].lower()]
        # As on AWS, the summary of a versioned package names its group and version, not the package.
        packages = [{key: one[key] for key in one if key != "ModelPackageName" or "ModelPackageGroupName" not in one} for one in packages]
        return page(packages, {key: value for key, value in request.items() if key != "NameContains"}, PACKAGE_LIST)

    def _delete_package(self, request: Record) -> Record:
        record = self.package(request["ModelPackageName"])
        self._store.delete(PACKAGES, record["ModelPackageArn"].rpartition(":model-package/")[2])
        self._tags.forget(record["ModelPackageArn"])
        return {}

    def _check_images(self, request: Record) -> None:
        for container in request.get("InferenceSpecification", {}).get("Containers", []):
            if "Image" in container:
                self._platform.image(container["Image"])

    def _announce(self, record: Record) -> None:
        self._platform.announcer.tell(EVENT, event_detail(record), record["ModelPackageArn"])


def check_package(request: Record) -> None:
    """ValidationException for what AWS refuses beyond the service model."""
    grouped = "ModelPackageGroupName" in request
    if grouped == ("ModelPackageName" in request):
        raise validation("Give exactly one of ModelPackageName and ModelPackageGroupName.")
    if grouped and request.get("Tags"):
        raise validation("A versioned model package takes the tags of its group; remove Tags or set them on the group.")
    if grouped and not re.search(r"[A-Za-z0-9]$", request["ModelPackageGroupName"]):
        raise validation(f"ModelPackageGroupName '{request['ModelPackageGroupName']}' is not a name or an ARN.")
    if "InferenceSpecification" not in request and "SourceUri" not in request:
        raise validation("A model package needs InferenceSpecification or SourceUri.")
