"""What is answered is kept: a killed host comes back with everything but logs and metrics."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - the tests are an independent client

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Lab

pytestmark = pytest.mark.flow
_STACK: dict[str, Any] = {
    "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/kept", "RetentionInDays": 90}},
    "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://issuer.example", "ClientIdList": ["sts.amazonaws.com"]}},
}


def _kill(lab: Lab) -> None:
    pid = int(lab.aws.pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    lab.aws.stop()


def test_a_killed_host_comes_back_with_what_it_held(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab()
    s3, tables, secrets, kms = (lab.client(name) for name in ("s3", "dynamodb", "secretsmanager", "kms"))
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(Bucket="kept", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    arn, _ = lab.mailbox("closer")
    _close_with(lab, arn)
    stack = lab.deploy("kept", _STACK)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    tables.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 300, "End": True}}}
    machine = lab.machine("waits", lab.role("waits-role", "states.amazonaws.com"), **wait)
    execution = lab.client("stepfunctions").start_execution(stateMachineArn=machine, input='{"run": 9}')["executionArn"]
    s3.put_object(Bucket="kept", Key="old", Body=b"first")
    s3.put_object(Bucket="kept", Key="old", Body=b"second" * 400_000)
    time.sleep(0.8)
    tables.put_item(TableName="ledger", Item={"pk": {"S": "claim"}})
    secrets.create_secret(Name="app", SecretString="key")
    s3.put_object(Bucket="kept", Key="last", Body=b"just before")
    _kill(lab)

    again = start_lab(lab.aws.config.state)
    try:
        s3, kms = again.client("s3"), again.client("kms")
        assert again.client("dynamodb").get_item(TableName="ledger", Key={"pk": {"S": "claim"}})["Item"]
        assert again.client("secretsmanager").get_secret_value(SecretId="app")["SecretString"] == "key"
        assert s3.get_object(Bucket="kept", Key="last")["Body"].read() == b"just before"
        assert s3.get_object(Bucket="kept", Key="old")["Body"].read() == b"second" * 400_000
        assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
        assert s3.get_public_access_block(Bucket="kept")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
        assert kms.verify(KeyId=key, Message=b"m", Signature=signature, SigningAlgorithm="ECDSA_SHA_256")["SignatureValid"]
        with pytest.raises(ClientError, match="No updates are to be performed"):
            again.client("cloudformation").update_stack(StackName="kept", TemplateBody=json.dumps({"Resources": _STACK}))
        ended = again.client("stepfunctions").describe_execution(executionArn=execution)
        assert ended["status"] == "FAILED"
        assert "was stopped while this execution ran" in ended["cause"]
        read = again.client("s3")

        def heard() -> list[Any]:
            keys = [one["Key"] for one in read.list_objects_v2(Bucket="mail-closer").get("Contents", [])]
            return [json.loads(read.get_object(Bucket="mail-closer", Key=one)["Body"].read()) for one in keys]

        (event,) = again.until(heard)
        assert json.loads(event["detail"]["input"]) == {"run": 9}
    finally:
        again.aws.stop()


def test_no_call_of_a_run_saves_what_earlier_runs_left(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab()
    tables, states = lab.client("dynamodb"), lab.client("stepfunctions")
    schema = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
    tables.create_table(TableName="ledger", BillingMode="PAY_PER_REQUEST", **schema)
    lab.function("echo", "def handler(event, context):\n    return event\n")
    machine = lab.machine("ends", lab.role("ends-role", "states.amazonaws.com"), StartAt="E", States={"E": {"Type": "Succeed"}})
    time.sleep(1.2)
    folder = lab.aws.config.state / "services"
    whole = {path.name: path.stat().st_ino for path in folder.glob("*.json")}
    arns = []
    for number in range(12):
        tables.put_item(TableName="ledger", Item={"pk": {"S": f"run{number}"}, "doc": {"S": "x" * 20_000}})
        arns.append(states.start_execution(stateMachineArn=machine, name=f"run{number}")["executionArn"])
        lab.invoke("echo")
    tables.delete_item(TableName="ledger", Key={"pk": {"S": "run0"}})
    time.sleep(1.2)
    assert {path.name: path.stat().st_ino for path in folder.glob("*.json")} == whole
    assert (folder / "dynamodb.changes").stat().st_size < 12 * 21_000
    for number in range(4):
        tables.put_item(TableName="ledger", Item={"pk": {"S": f"large{number}"}, "doc": {"S": "x" * 300_000}})
    lab.until(lambda: not (folder / "dynamodb.changes").exists())
    tables.put_item(TableName="ledger", Item={"pk": {"S": "last"}})
    _kill(lab)

    again = start_lab(lab.aws.config.state)
    try:
        pages = again.client("dynamodb").get_paginator("scan").paginate(TableName="ledger")
        kept = {item["pk"]["S"] for page in pages for item in page["Items"]}
        assert kept == {*(f"run{number}" for number in range(1, 12)), *(f"large{number}" for number in range(4)), "last"}
        states = again.client("stepfunctions")
        assert {states.describe_execution(executionArn=arn)["status"] for arn in arns} == {"SUCCEEDED"}
    finally:
        again.aws.stop()


def _close_with(lab: Lab, function: str) -> None:
    """The rule that starts a closing function when an execution ended badly."""
    events = lab.client("events")
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"]}}
    rule = events.put_rule(Name="closes", EventPattern=json.dumps(pattern))["RuleArn"]
    told = {"FunctionName": "closer", "StatementId": "events", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    lab.client("lambda").add_permission(**told, SourceArn=rule)
    events.put_targets(Rule="closes", Targets=[{"Id": "f", "Arn": function}])


def test_stopping_leaves_no_process_and_no_pid_file(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab()
    lab.function("pid", "import os\ndef handler(event, context):\n    return os.getpid()\n")
    worker, host = lab.invoke("pid"), int(lab.aws.pid_file.read_text())
    lab.aws.stop()
    for pid in (worker, host):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not lab.aws.pid_file.exists()


def test_a_killed_host_takes_its_workers_with_it(start_lab: Callable[..., Lab]) -> None:
    lab = start_lab()
    lab.function("pid", "import os\ndef handler(event, context):\n    return os.getpid()\n")
    worker = lab.invoke("pid")
    os.kill(int(lab.aws.pid_file.read_text()), signal.SIGKILL)

    def gone() -> bool:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return True
        return False

    lab.until(gone)
    lab.aws.stop()
