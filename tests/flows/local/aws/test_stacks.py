"""CloudFormation types that the host registers or completes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - the tests are an independent client

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow


def _update(lab: Lab, name: str, resources: dict[str, Any]) -> dict[str, Any]:
    stacks = lab.client("cloudformation")
    stacks.update_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_NAMED_IAM"])
    return dict(
        lab.until(
            lambda: (one := stacks.describe_stacks(StackName=name)["Stacks"][0]) and "IN_PROGRESS" not in one["StackStatus"] and one, 20
        )
    )


def test_trails_composite_alarms_and_identity_providers_are_made_changed_and_removed(lab: Lab) -> None:
    lab.client("s3").create_bucket(Bucket="trail-bucket")
    alarm = {"Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1}
    resources: dict[str, Any] = {
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {"TrailName": "audit", "S3BucketName": "trail-bucket", "IsLogging": True, "EnableLogFileValidation": True},
        },
        "One": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"AlarmName": "part-one", "ComparisonOperator": "GreaterThanThreshold", **alarm},
        },
        "Both": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "DependsOn": "One",
            "Properties": {"AlarmName": "whole", "AlarmRule": 'ALARM("part-one")'},
        },
        "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://one.example", "ClientIdList": ["a"]}},
    }
    outputs = {"Trail": {"Value": {"Fn::GetAtt": ["Trail", "Arn"]}}, "Provider": {"Value": {"Ref": "Provider"}}}
    stack = lab.deploy("registered", resources, Outputs=outputs)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {one["OutputValue"] for one in stack["Outputs"]} == {
        "arn:aws:cloudtrail:us-east-1:000000000000:trail/audit",
        "arn:aws:iam::000000000000:oidc-provider/one.example",
    }
    trails, watch, iam = lab.client("cloudtrail"), lab.client("cloudwatch"), lab.client("iam")
    assert trails.get_trail_status(Name="audit")["IsLogging"]
    assert watch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]["AlarmName"] == "whole"
    resources["Provider"]["Properties"]["ClientIdList"] = ["a", "b"]
    assert _update(lab, "registered", resources)["StackStatus"] == "UPDATE_COMPLETE"
    arn = "arn:aws:iam::000000000000:oidc-provider/one.example"
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["a", "b"]
    lab.client("cloudformation").delete_stack(StackName="registered")
    lab.until(lambda: not watch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"])
    assert arn not in str(iam.list_open_id_connect_providers())
    assert not trails.list_trails()["Trails"]


@pytest.mark.parametrize("kind", ["AWS::CloudTrail::Trail", "AWS::CloudWatch::CompositeAlarm", "AWS::IAM::OIDCProvider"])
def test_an_unknown_property_of_a_registered_type_is_refused_by_name(lab: Lab, kind: str) -> None:
    name = kind.rsplit("::", 1)[-1]
    lab.client("cloudformation").create_stack(
        StackName=f"typo-{name}",
        TemplateBody=json.dumps({"Resources": {"R": {"Type": kind, "Properties": {"Sketchy": 1}}}}),
    )
    stacks = lab.client("cloudformation")
    lab.until(lambda: stacks.describe_stacks(StackName=f"typo-{name}")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE", 20)
    assert "'Sketchy'" in str(stacks.describe_stack_events(StackName=f"typo-{name}")["StackEvents"])


def test_an_unknown_type_is_refused(lab: Lab) -> None:
    with pytest.raises(ClientError, match="AWS::Nothing::AtAll"):
        lab.deploy("unknown", {"R": {"Type": "AWS::Nothing::AtAll", "Properties": {}}})


def test_bucket_and_table_settings_of_a_template_take_effect(lab: Lab) -> None:
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    keys = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "set-logs"}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": "set-data",
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": encryption}]
                },
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "a", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]
                },
                "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "s3/"},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "set",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                **keys,
            },
        },
    }
    assert lab.deploy("settings", resources)["StackStatus"] == "CREATE_COMPLETE"
    s3, tables = lab.client("s3"), lab.client("dynamodb")
    rule = s3.get_bucket_encryption(Bucket="set-data")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket="set-data")["Rules"][0]
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert s3.get_bucket_logging(Bucket="set-data")["LoggingEnabled"]["TargetBucket"] == "set-logs"
    assert tables.describe_time_to_live(TableName="set")["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    backups = tables.describe_continuous_backups(TableName="set")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
