"""Processing jobs really run, with paths of the request below the base folder."""

from __future__ import annotations

from tests.unit.local.aws.sagemaker.bench import IMAGE, Bench
from tests.unit.local.aws.sagemaker.memory_host import ROLE
from tests.unit.local.aws.sagemaker.test_job_ends import alive

INPUT = {
    "InputName": "raw",
    "S3Input": {"S3Uri": "s3://data/raw/a.csv", "LocalPath": "/opt/ml/processing/raw", "S3DataType": "S3Prefix", "S3InputMode": "File"},
}
OUTPUT = {"OutputName": "out", "S3Output": {"S3Uri": "s3://out/clean", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}}
CLEANER = """
import os, sys
from pathlib import Path
source, target = Path(sys.argv[1]), Path(sys.argv[2].partition("=")[2])
(target / "deep").mkdir()
(target / "deep" / "b.csv").write_text((source / "a.csv").read_text().upper())
base = Path(os.environ["SAGEMAKER_BASE_DIR"])
assert (base / "config/processingjobconfig.json").exists()
(base / "output/message").write_text("one file")
"""


def application(bench: Bench, *arguments: str) -> dict[str, object]:
    return {
        "ImageUri": IMAGE,
        "ContainerEntrypoint": ["python", str(bench.host.state / "work.py")],
        "ContainerArguments": list(arguments) or ["x"],
    }


def test_a_processing_job_turns_inputs_into_outputs(bench: Bench) -> None:
    bench.program("work.py", CLEANER)
    bench.host.put("data", "raw/a.csv", b"a,b")
    bench.process(
        "clean-1",
        AppSpecification=application(bench, "/opt/ml/processing/raw", "--out=/opt/ml/processing/out"),
        ProcessingInputs=[INPUT],
        ProcessingOutputConfig={"Outputs": [OUTPUT]},
    )
    job = bench.ended("clean-1", "Processing")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "one file"
    assert bench.host.content("out", "clean/deep/b.csv") == b"A,B"


def test_continuous_outputs_are_uploaded_while_the_job_runs(bench: Bench) -> None:
    bench.program("work.py", "import sys, time, pathlib\npathlib.Path(sys.argv[1], 'a').write_text('1')\ntime.sleep(20)")
    output = {"OutputName": "out", "S3Output": {**OUTPUT["S3Output"], "S3UploadMode": "Continuous"}}  # type: ignore[dict-item]
    bench.process("live", AppSpecification=application(bench, "/opt/ml/processing/out"), ProcessingOutputConfig={"Outputs": [output]})
    bench.until((bench.host.state / "objects" / "out" / "clean\u2215a").exists)
    bench.call("StopProcessingJob", ProcessingJobName="live")
    assert bench.ended("live", "Processing")["ProcessingJobStatus"] == "Stopped"


def test_a_job_whose_upload_is_denied_fails_and_its_program_ends(bench: Bench) -> None:
    bench.program(
        "work.py", "import os, sys, time, pathlib\npathlib.Path(sys.argv[1], 'a').write_text('1')\nprint(os.getpid())\ntime.sleep(20)"
    )
    bench.host.forbidden.add((ROLE, "s3:PutObject"))
    output = {"OutputName": "out", "S3Output": {**OUTPUT["S3Output"], "S3UploadMode": "Continuous"}}  # type: ignore[dict-item]
    bench.process("denied", AppSpecification=application(bench, "/opt/ml/processing/out"), ProcessingOutputConfig={"Outputs": [output]})
    job = bench.ended("denied", "Processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "s3:PutObject" in job["FailureReason"]
    (line,) = next(iter(bench.host.logs.values()))
    assert not alive(int(line))


def test_a_failed_processing_job_says_its_own_message_and_exit_code(bench: Bench) -> None:
    bench.program(
        "work.py", "import os, sys\nopen(os.environ['SAGEMAKER_BASE_DIR'] + '/output/message', 'w').write('no rows')\nsys.exit(3)"
    )
    bench.process("clean-2", AppSpecification=application(bench))
    job = bench.ended("clean-2", "Processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no rows, exit code: 3"


def test_a_processing_job_beyond_its_time_fails(bench: Bench) -> None:
    bench.program("work.py", "import time\ntime.sleep(30)")
    bench.process("slow", AppSpecification=application(bench), StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = bench.ended("slow", "Processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "MaxRuntimeInSeconds" in job["FailureReason"]
