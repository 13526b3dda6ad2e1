"""The model registry: versions, approval, metadata, lifecycle, lists in pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.aws.sagemaker.bench import SERVE_IMAGE, Bench, Refused, archive
from tests.unit.local.aws.sagemaker.memory_host import ROLE
from tests.unit.local.aws.sagemaker.serving_program import SERVER

SPECIFICATION = {
    "Containers": [{"Image": SERVE_IMAGE, "ModelDataUrl": "s3://data/m.tar.gz", "Environment": {"A": "1"}}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["application/json"],
}


def registered(bench: Bench, **changes: Any) -> str:
    request = {"ModelPackageGroupName": "census", "InferenceSpecification": SPECIFICATION, **changes}
    return str(bench.call("CreateModelPackage", **request)["ModelPackageArn"])


def group(bench: Bench) -> None:
    bench.call("CreateModelPackageGroup", ModelPackageGroupName="census", Tags=[{"Key": "team", "Value": "a"}])


def test_versions_are_integers_that_are_never_used_twice(bench: Bench) -> None:
    group(bench)
    first, second = registered(bench), registered(bench)
    assert first.endswith(":model-package/census/1")
    bench.call("DeleteModelPackage", ModelPackageName=second)
    bench.reopen()
    assert registered(bench).endswith(":model-package/census/3")


def test_approval_metadata_and_lifecycle_are_kept_and_announced(bench: Bench) -> None:
    group(bench)
    arn = registered(bench, CustomerMetadataProperties={"version": "1.0.0", "commit": "abc"})
    assert bench.call("DescribeModelPackage", ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    bench.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="above the champion",
        CustomerMetadataProperties={"issue": "7"},
        CustomerMetadataPropertiesToRemove=["commit"],
        ModelLifeCycle={"Stage": "Production", "StageStatus": "Live"},
    )
    described = bench.call("DescribeModelPackage", ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"version": "1.0.0", "issue": "7"}
    assert (described["ModelApprovalStatus"], described["ModelPackageVersion"]) == ("Approved", 1)
    assert described["ModelLifeCycle"] == {"Stage": "Production", "StageStatus": "Live"}
    bench.until(lambda: len(bench.host.events) == 2)
    kind, detail = bench.host.events[-1]
    assert (kind, detail["ModelApprovalStatus"]) == ("SageMaker Model Package State Change", "Approved")


def test_a_retried_registration_with_the_same_token_is_the_same_version(bench: Bench) -> None:
    group(bench)
    first = registered(bench, ClientToken="t" * 10)
    assert registered(bench, ClientToken="t" * 10) == first
    with pytest.raises(Refused, match="another request") as refused:
        registered(bench, ClientToken="t" * 10, ModelPackageDescription="changed")
    assert refused.value.code == "ConflictException"


def test_a_group_with_packages_cannot_be_deleted(bench: Bench) -> None:
    group(bench)
    arn = registered(bench)
    with pytest.raises(Refused) as refused:
        bench.call("DeleteModelPackageGroup", ModelPackageGroupName="census")
    assert refused.value.code == "ConflictException"
    bench.call("DeleteModelPackage", ModelPackageName=arn)
    bench.call("DeleteModelPackageGroup", ModelPackageGroupName="census")
    with pytest.raises(Refused, match="does not exist"):
        bench.call("DescribeModelPackageGroup", ModelPackageGroupName="census")


def test_lists_come_in_stable_pages(bench: Bench) -> None:
    group(bench)
    arns = [registered(bench) for _ in range(5)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = bench.call("ListModelPackages", ModelPackageGroupName="census", MaxResults=2, **token)
        seen += [one["ModelPackageArn"] for one in answer["ModelPackageSummaryList"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
        arns.append(registered(bench))
        if len(arns) > 6:
            break
    assert seen == arns[: len(seen)]
    newest = bench.call("ListModelPackages", ModelPackageGroupName="census", SortOrder="Descending", MaxResults=1)
    assert newest["ModelPackageSummaryList"][0]["ModelPackageArn"] == arns[-1]
    with pytest.raises(Refused, match="in another order"):
        bench.call("ListModelPackages", SortBy="Name", NextToken=newest["NextToken"])
    with pytest.raises(Refused, match="NextToken is not one"):
        bench.call("ListModels", NextToken="nonsense")


def test_only_an_approved_version_can_be_deployed(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.host.put("data", "m.tar.gz", archive({"mark": b"from the registry"}))
    group(bench)
    arn = registered(bench)
    container = {"ModelPackageName": arn}
    with pytest.raises(Refused, match="only an Approved one can be deployed"):
        bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    bench.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "live", "ModelName": "census", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    bench.call("CreateEndpointConfig", EndpointConfigName="census", ProductionVariants=[variant])
    bench.call("CreateEndpoint", EndpointName="census", EndpointConfigName="census")
    assert bench.served("census")["EndpointStatus"] == "InService"
    assert b"from the registry" in bench.invoke("census", b"1")[2]


def test_a_model_needs_data_that_its_role_can_read(bench: Bench) -> None:
    container = {"Image": SERVE_IMAGE, "ModelDataUrl": "s3://data/none.tar.gz"}
    with pytest.raises(Refused, match="Could not access model data"):
        bench.call("CreateModel", ModelName="census", ExecutionRoleArn=ROLE, PrimaryContainer=container)


def test_an_archive_that_leads_out_of_its_folder_is_refused(bench: Bench) -> None:
    """The second wall of abuse row 87."""
    bench.program("serve.py", SERVER)
    bench.host.put("data", "models/evil.tar.gz", archive({"../../evil": b"x"}))
    container = {"Image": SERVE_IMAGE, "ModelDataUrl": "s3://data/models/evil.tar.gz"}
    bench.call("CreateModel", ModelName="evil", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "live", "ModelName": "evil", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    bench.call("CreateEndpointConfig", EndpointConfigName="evil", ProductionVariants=[variant])
    bench.call("CreateEndpoint", EndpointName="evil", EndpointConfigName="evil")
    described = bench.served("evil")
    assert described["EndpointStatus"] == "Failed"
    assert "Failed to extract model data archive" in described["FailureReason"]


def test_tags_are_set_changed_listed_in_pages_and_end_with_their_resource(bench: Bench) -> None:
    group(bench)
    arn = bench.call("DescribeModelPackageGroup", ModelPackageGroupName="census")["ModelPackageGroupArn"]
    bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}])
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}]
    bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(48)])
    page = bench.call("ListTags", ResourceArn=arn, MaxResults=50)
    assert len(page["Tags"]) == 50
    with pytest.raises(Refused, match="51 tags"):
        bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": "more", "Value": ""}])
    bench.call("DeleteTags", ResourceArn=arn, TagKeys=["team"])
    assert len(bench.call("ListTags", ResourceArn=arn)["Tags"]) == 49
    with pytest.raises(Refused, match="takes the tags of its group"):
        registered(bench, Tags=[{"Key": "a", "Value": "b"}])
    bench.call("DeleteModelPackageGroup", ModelPackageGroupName="census")
    with pytest.raises(Refused, match="Could not find resource"):
        bench.call("ListTags", ResourceArn=arn)
