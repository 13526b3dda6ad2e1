"""The registered SageMaker behind the real local AWS: signed calls, enforced policies, real objects, events, logs, alarms' metrics."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.exceptions  # noqa: TID251 - the tests are an independent client
import pytest

from mlops_core.local.aws.config import Image
from tests.flows.local.aws.conftest import ACCOUNT, Lab
from tests.unit.local.aws.sagemaker.bench import archive
from tests.unit.local.aws.sagemaker.serving_program import SERVER

pytestmark = pytest.mark.flow
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
TRAINER = """
import os, shutil
base = os.environ["SAGEMAKER_BASE_DIR"]
shutil.copy(base + "/input/data/train/mark", base + "/model/mark")
print("auc=0.9", flush=True)
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    folder = tmp_path_factory.mktemp("image")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "work.py").write_text(TRAINER, encoding="utf-8")
    (folder / "serve.py").write_text(SERVER, encoding="utf-8")
    return {f"mlops-{name}": Image(folder / "bin", ("python", str(folder / f"{name}.py"))) for name in ("work", "serve")}


@pytest.fixture(scope="module")
def lab(start_lab: Callable[..., Lab], images: dict[str, Image]) -> Iterator[Lab]:
    opened = start_lab(images=images)
    yield opened
    opened.aws.stop()


def execution_role(lab: Lab, name: str, *actions: str) -> str:
    everything = {"Action": list(actions) or ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"}
    return lab.role(name, "sagemaker.amazonaws.com", everything)


def training(name: str, role: str, bucket: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}}
    definition = {"Name": "auc", "Regex": "auc=([0-9.]+)"}
    image = {"TrainingImage": f"{REGISTRY}/mlops-work:1", "TrainingInputMode": "File", "MetricDefinitions": [definition]}
    return {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": image,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def ended(lab: Lab, name: str) -> dict[str, Any]:
    sagemaker = lab.client("sagemaker")

    def probe() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return dict(lab.until(probe))


def bucket_with_mark(lab: Lab, name: str) -> str:
    lab.client("s3").create_bucket(Bucket=name)
    lab.client("s3").put_object(Bucket=name, Key="train/mark", Body=b"first")
    return name


def deploy(lab: Lab, name: str, role: str, bucket: str, **config: Any) -> None:
    sagemaker = lab.client("sagemaker")
    container = {"Image": f"{REGISTRY}/mlops-serve:1", "ModelDataUrl": f"s3://{bucket}/models/{name}/output/model.tar.gz"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {
        "VariantName": "live",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **config)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def probe() -> Any:
        found = sagemaker.describe_endpoint(EndpointName=name)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    described = lab.until(probe, 20)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")


def ask(lab: Lab, name: str) -> Any:
    answer = lab.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"1,2")
    return json.loads(answer["Body"].read())


def test_train_deploy_and_predict_through_signed_calls(lab: Lab) -> None:
    bucket = bucket_with_mark(lab, "line-one")
    role = execution_role(lab, "line-one-role")
    lab.client("sagemaker").create_training_job(**training("line-one", role, bucket))
    job = ended(lab, "line-one")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(0.9)
    logs = lab.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    assert any(one["logStreamName"].startswith("line-one/algo-1-") for one in logs)
    deploy(lab, "line-one", role, bucket)
    assert ask(lab, "line-one")["mark"] == "first"
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        lab.client("sagemaker-runtime").invoke_endpoint(EndpointName="line-one", ContentType="text/csv", Body=b"fail")
    assert raised.value.response["Error"]["Code"] == "ModelError"
    assert raised.value.response["OriginalStatusCode"] == 400


@pytest.mark.parametrize("missing", ["s3:ListBucket", "s3:GetObject", "s3:PutObject"])
def test_a_role_less_one_action_fails_the_job(lab: Lab, missing: str) -> None:
    word = missing.partition(":")[2].lower()
    bucket = bucket_with_mark(lab, f"denied-{word}")
    role = execution_role(lab, f"denied-{word}", *({"s3:ListBucket", "s3:GetObject", "s3:PutObject"} - {missing}))
    lab.client("sagemaker").create_training_job(**training(f"denied-{word}", role, bucket))
    job = ended(lab, f"denied-{word}")
    assert job["TrainingJobStatus"] == "Failed"
    assert missing in job["FailureReason"]


def test_condition_keys_and_passrole_are_enforced_for_the_caller(lab: Lab) -> None:
    """The second wall of abuse row 20: the condition denies an instance type and a run time that the role may not use."""
    bucket = bucket_with_mark(lab, "limited")
    role = execution_role(lab, "limited-work")
    iam = lab.client("iam")
    iam.create_user(UserName="limited")
    keys = iam.create_access_key(UserName="limited")["AccessKey"]
    mine = lab.client("sagemaker", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"])
    condition = {
        "ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.large"]},
        "NumericLessThanEquals": {"sagemaker:MaxRuntimeInSeconds": "60"},
    }
    create = {
        "Effect": "Allow",
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/ok-*",
    }
    service = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": service}

    def allow(*statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=document)

    def refused(**request: Any) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            mine.create_training_job(**request)
        return str(raised.value)

    allow({**create, "Condition": condition})
    assert "iam:PassRole" in refused(**training("ok-1", role, bucket))
    allow({**create, "Condition": condition}, passing)
    assert "AccessDenied" in refused(**training("other-1", role, bucket))
    big = training("ok-2", role, bucket)
    assert "AccessDenied" in refused(**{**big, "ResourceConfig": {**big["ResourceConfig"], "InstanceType": "ml.p5.48xlarge"}})
    assert "AccessDenied" in refused(**{**big, "StoppingCondition": {"MaxRuntimeInSeconds": 61}})
    mine.create_training_job(**training("ok-3", role, bucket))
    assert ended(lab, "ok-3")["TrainingJobStatus"] == "Completed"


def test_an_encrypted_channel_needs_the_key(lab: Lab) -> None:
    bucket = bucket_with_mark(lab, "sealed")
    key = lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    lab.client("s3").put_object(Bucket=bucket, Key="train/mark", Body=b"first", **sealed)
    role = execution_role(lab, "sealed-work")
    lab.client("sagemaker").create_training_job(**training("sealed-1", role, bucket))
    job = ended(lab, "sealed-1")
    assert job["TrainingJobStatus"] == "Failed"
    assert "kms:Decrypt" in job["FailureReason"]
    lab.grant(
        "sealed-work",
        {"Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"},
        {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key},
    )
    request = training("sealed-2", role, bucket)
    lab.client("sagemaker").create_training_job(**{**request, "OutputDataConfig": {**request["OutputDataConfig"], "KmsKeyId": key}})
    job = ended(lab, "sealed-2")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    head = lab.client("s3").head_object(Bucket=bucket, Key="models/sealed-2/output/model.tar.gz")
    assert head["SSEKMSKeyId"] == key


def test_a_finished_job_reaches_an_event_rule(lab: Lab) -> None:
    target, read = lab.mailbox("jobs")
    events = lab.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail": {"TrainingJobName": ["told"], "TrainingJobStatus": ["Completed"]}}
    rule = events.put_rule(Name="told", EventPattern=json.dumps(pattern))["RuleArn"]
    permission = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": rule}
    lab.client("lambda").add_permission(FunctionName=target, **permission)
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": target}])
    bucket = bucket_with_mark(lab, "told")
    lab.client("sagemaker").create_training_job(**training("told", execution_role(lab, "told-work"), bucket))
    (event,) = lab.until(read)
    assert event["detail-type"] == "SageMaker Training Job State Change"
    assert event["resources"] == [f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/told"]
    assert event["detail"]["SecondaryStatus"] == "Completed"


def test_a_rule_on_every_change_may_call_a_function_that_calls_back(lab: Lab) -> None:
    target, read = lab.mailbox("every")
    events = lab.client("events")
    rule = events.put_rule(Name="every", EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail": {"TrainingJobName": ["every"]}}))[
        "RuleArn"
    ]
    permission = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": rule}
    lab.client("lambda").add_permission(FunctionName=target, **permission)
    events.put_targets(Rule="every", Targets=[{"Id": "1", "Arn": target}])
    bucket = bucket_with_mark(lab, "every")
    lab.client("sagemaker").create_training_job(**training("every", execution_role(lab, "every-work"), bucket))
    assert ended(lab, "every")["TrainingJobStatus"] == "Completed"
    lab.until(lambda: len(read()) == 5, 20)


def test_captured_exchanges_are_objects_and_invocations_are_metrics(lab: Lab) -> None:
    bucket = bucket_with_mark(lab, "watched")
    lab.client("s3").put_object(Bucket=bucket, Key="models/watched/output/model.tar.gz", Body=archive({"mark": b"seen"}))
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    deploy(lab, "watched", execution_role(lab, "watched-work"), bucket, DataCaptureConfig=capture)
    ask(lab, "watched")
    s3 = lab.client("s3")
    (found,) = lab.until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="captured/watched/live/").get("Contents"), 20)
    record = json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert record["captureData"]["endpointInput"]["data"] == "1,2"
    names = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}
    dimensions = [{"Name": "EndpointName", "Value": "watched"}, {"Name": "VariantName", "Value": "live"}]
    now = datetime.now(UTC)
    window = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 60, "Statistics": ["Sum"]}
    watch = lab.client("cloudwatch")
    (point,) = lab.until(lambda: watch.get_metric_statistics(**names, Dimensions=dimensions, **window)["Datapoints"], 20)
    assert point["Sum"] == 1


def test_a_model_package_group_comes_from_a_template(lab: Lab) -> None:
    resources = {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "from-template"}}}
    stack = lab.deploy("registry", resources, Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}}})
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    assert stack["Outputs"][0]["OutputValue"].endswith(":model-package-group/from-template")
    lab.client("cloudformation").delete_stack(StackName="registry")
    lab.until(lambda: not lab.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"])


def test_an_endpoint_serves_again_after_kill_9(start_lab: Callable[..., Lab], images: dict[str, Image], tmp_path: Path) -> None:
    lab = start_lab(tmp_path, images=images)
    try:
        bucket = bucket_with_mark(lab, "killed")
        lab.client("s3").put_object(Bucket=bucket, Key="models/killed/output/model.tar.gz", Body=archive({"mark": b"kept"}))
        deploy(lab, "killed", execution_role(lab, "killed-role"), bucket)
        before = ask(lab, "killed")["pid"]
        request = training("running", execution_role(lab, "running-role"), bucket)
        request["AlgorithmSpecification"] |= {"ContainerEntrypoint": ["python", "-c", "import time; time.sleep(600)"]}
        lab.client("s3").put_object(Bucket=bucket, Key="train/mark", Body=b"first")
        lab.client("sagemaker").create_training_job(**request)
        described = lab.client("sagemaker").describe_training_job
        lab.until(lambda: described(TrainingJobName="running")["SecondaryStatus"] == "Training")
    finally:
        os.kill(int(lab.aws.pid_file.read_text(encoding="ascii")), signal.SIGKILL)
        lab.aws.stop()
    again = start_lab(tmp_path, images=images)
    try:
        again.until(lambda: again.client("sagemaker").describe_endpoint(EndpointName="killed")["EndpointStatus"] == "InService", 20)
        answer = ask(again, "killed")
        assert answer["mark"] == "kept"
        assert answer["pid"] != before
        assert not Path(f"/proc/{before}").exists()
        lost = again.client("sagemaker").describe_training_job(TrainingJobName="running")
        assert lost["FailureReason"] == "InternalServerError: the local platform was stopped"
    finally:
        again.aws.stop()
