"""Endpoints really serve: variants by weight, updates without a gap, restarts, deletion."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from tests.unit.local.aws.sagemaker.bench import Bench, Refused
from tests.unit.local.aws.sagemaker.serving_program import SERVER
from tests.unit.local.aws.sagemaker.test_job_ends import alive


def ask(bench: Bench, endpoint: str = "census", body: bytes = b"1,2", **headers: str) -> Any:
    status, _, answer = bench.invoke(endpoint, body, Content_Type="text/csv", **headers)
    assert status == 200, answer
    return json.loads(answer)


def test_an_endpoint_serves_its_model_and_passes_the_documented_headers(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    assert bench.call("DescribeEndpoint", EndpointName="census")["EndpointStatus"] == "Creating"
    described = bench.served("census")
    assert described["EndpointStatus"] == "InService", described
    assert described["ProductionVariants"][0]["CurrentWeight"] == 1.0
    extra = {
        "X_Amzn_SageMaker_Custom_Attributes": "who=me",
        "X_Amzn_SageMaker_Inference_Id": "42",
        "Accept": "application/json",
        "Cookie": "no",
    }
    status, headers, body = bench.invoke("census", b"1,2", Content_Type="text/csv", **extra)
    answer = json.loads(body)
    assert (status, answer["mark"], headers["x-Amzn-Invoked-Production-Variant"]) == (200, "first", "blue")
    assert headers["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1"
    assert answer["headers"]["x-amzn-sagemaker-custom-attributes"] == "who=me"
    assert answer["headers"]["x-amzn-sagemaker-inference-id"] == "42"
    assert answer["headers"]["accept"] == "application/json"
    assert "cookie" not in answer["headers"]
    bench.until(lambda: any(group == "/aws/sagemaker/Endpoints/census" for group, _ in bench.host.logs))


def test_traffic_follows_the_weights_and_a_named_variant_wins(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 3), ("green", "second", 1))
    bench.served("census")
    marks = [ask(bench)["mark"] for _ in range(80)]
    assert 8 <= marks.count("second") <= 34
    assert ask(bench, X_Amzn_SageMaker_Target_Variant="green")["mark"] == "second"
    bench.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="census",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredWeight": 0}],
    )
    described = bench.served("census")
    assert [one["CurrentWeight"] for one in described["ProductionVariants"]] == [0.0, 1.0]
    assert {ask(bench)["mark"] for _ in range(10)} == {"second"}


def test_a_variant_runs_as_many_processes_as_it_has_instances(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    change = [{"VariantName": "blue", "DesiredInstanceCount": 2}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="census", DesiredWeightsAndCapacities=change)
    assert bench.served("census")["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert len({ask(bench)["pid"] for _ in range(4)}) == 2


def test_an_update_swaps_only_when_healthy_and_otherwise_keeps_the_old_configuration(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    old = ask(bench)["pid"]
    bench.config_of("sick-config", ("blue", "sick", 1))
    bench.call("UpdateEndpoint", EndpointName="census", EndpointConfigName="sick-config")
    with pytest.raises(Refused, match="in-progress"):
        bench.call("UpdateEndpoint", EndpointName="census", EndpointConfigName="sick-config")
    described = bench.served("census")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "census-config"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert ask(bench)["pid"] == old
    bench.config_of("next-config", ("blue", "second", 1))
    bench.call("UpdateEndpoint", EndpointName="census", EndpointConfigName="next-config")
    described = bench.served("census")
    assert (described["EndpointConfigName"], "FailureReason" in described) == ("next-config", False)
    assert ask(bench)["mark"] == "second"
    bench.until(lambda: not alive(old))
    bench.until(lambda: len(bench.host.events) == 7)
    states = [detail["EndpointStatus"] for kind, detail in bench.host.events if kind == "SageMaker Endpoint State Change"]
    assert states == ["CREATING", "IN_SERVICE", "UPDATING", "ROLLING_BACK", "IN_SERVICE", "UPDATING", "IN_SERVICE"]


def test_an_endpoint_that_never_gets_healthy_fails_with_the_reason(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "sick", 1))
    described = bench.served("census")
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]


def test_a_containers_error_is_a_model_error(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    status, headers, body = bench.invoke("census", b"fail", Content_Type="text/csv")
    error = json.loads(body)
    assert (status, headers["x-amzn-ErrorType"]) == (424, "ModelError")
    assert (error["OriginalStatusCode"], error["OriginalMessage"]) == (400, "no such column")
    assert error["Message"].startswith("Received client error (400) from primary")


def test_limits_of_an_invocation(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    assert bench.invoke("census", b"x" * 6_291_457)[0] == 413
    assert bench.invoke("census", b"x" * 6_291_456, Content_Type="text/csv")[0] == 200
    assert bench.invoke("census", b"chunks")[2] == b"abcde"
    bench.service.invocations.timeout_s = 0.3
    status, _, body = bench.invoke("census", b"slow")
    assert status == 424
    assert b"timed out" in body
    assert bench.invoke("other", b"")[0] == 400
    assert b"Target-Model is not supported" in bench.invoke("census", b"", X_Amzn_SageMaker_Target_Model="m")[2]


def test_a_process_that_dies_is_replaced(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    assert bench.invoke("census", b"die")[0] == 424
    bench.until(lambda: bench.invoke("census", b"1")[0] == 200)


def test_a_restart_serves_again_from_the_unpacked_model(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    bench.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="census",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredWeight": 5}],
    )
    bench.served("census")
    for name in ("census-config",):
        bench.call("DeleteEndpointConfig", EndpointConfigName=name)
        bench.call("DeleteModel", ModelName=f"{name}-blue")
    bench.reopen()
    described = bench.served("census")
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["CurrentWeight"] == 5.0
    assert ask(bench)["mark"] == "first"


def test_a_deleted_endpoint_is_gone_with_its_processes(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    pid = ask(bench)["pid"]
    bench.call("DeleteEndpoint", EndpointName="census")
    bench.until(lambda: bench.call("ListEndpoints")["Endpoints"] == [])
    assert not alive(pid)
    with pytest.raises(Refused, match="Could not find endpoint") as refused:
        bench.call("DescribeEndpoint", EndpointName="census")
    assert refused.value.code == "ValidationException"


def test_captured_exchanges_and_metrics_reach_their_places(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://out/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    bench.deploy("census", ("blue", "first", 1), DataCaptureConfig=capture)
    assert bench.served("census")["DataCaptureConfig"]["CaptureStatus"] == "Started"
    ask(bench, X_Amzn_SageMaker_Inference_Id="row-1")
    bench.invoke("census", b"fail")
    folder = bench.host.state / "objects" / "out"
    bench.until(lambda: list(folder.glob("captured*")))
    (found,) = folder.glob("captured*")
    parts = found.name.split("\u2215")
    assert parts[:3] == ["captured", "census", "blue"]
    assert [len(part) for part in parts[3:7]] == [4, 2, 2, 2]
    (line,) = found.read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert record["eventVersion"] == "0"
    assert record["eventMetadata"]["inferenceId"] == "row-1"
    assert record["captureData"]["endpointInput"] == {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"}
    assert record["captureData"]["endpointOutput"]["encoding"] == "JSON"
    expected = {"EndpointName": "census", "VariantName": "blue"}
    bench.until(lambda: any(entry[1] == "Invocation4XXErrors" and entry[3] for entry in bench.host.metrics))
    assert sum(entry[3] for entry in bench.host.metrics if entry[1] == "Invocations" and entry[2] == expected) == 2
    latencies = [entry for entry in bench.host.metrics if entry[1] == "ModelLatency"]
    assert {entry[0] for entry in latencies} == {"AWS/SageMaker"}
    assert {entry[4] for entry in latencies} == {"Microseconds"}


def test_serving_processes_end_with_a_killed_platform(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    pid = ask(bench)["pid"]
    deployment = bench.service.endpoints.live("census")
    assert deployment is not None
    os.kill(deployment.variants["blue"].workers[0].process.pid, signal.SIGKILL)
    bench.until(lambda: not alive(pid))


def test_a_program_that_cannot_start_again_is_tried_less_and_less_and_is_gone_after_deletion(bench: Bench) -> None:
    bench.program("serve.py", SERVER)
    bench.deploy("census", ("blue", "first", 1))
    bench.served("census")
    bench.program("serve.py", "raise SystemExit(3)")
    assert bench.invoke("census", b"die")[0] == 424
    deployment = bench.service.endpoints.live("census")
    assert deployment is not None
    variant = deployment.variants["blue"]
    bench.until(lambda: not variant.workers and not variant.lacking())
    assert bench.invoke("census", b"1")[0] == 424
    bench.program("serve.py", SERVER)
    bench.until(lambda: bench.invoke("census", b"1")[0] == 200)
    bench.call("DeleteEndpoint", EndpointName="census")
    bench.until(lambda: bench.call("ListEndpoints")["Endpoints"] == [])
    assert variant.workers == []
