"""Every way a job ends: failure, stop, time-out, denial, a lost platform.

Abuse row 71: Stopped, Stopping, MaxRuntimeExceeded, AlgorithmError and InternalServerError are told apart as AWS tells them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_core.local.aws.sagemaker.process import GUARD, Launcher, start_time
from tests.unit.local.aws.sagemaker.bench import IMAGE, Bench, Refused
from tests.unit.local.aws.sagemaker.memory_host import ROLE
from tests.unit.local.aws.sagemaker.test_training import CHANNEL

SLEEPER = "import time\nprint('up', flush=True)\ntime.sleep(60)"
POLITE = """
import os, signal, sys, time
from pathlib import Path
base = Path(os.environ["SAGEMAKER_BASE_DIR"])
def leave(*_):
    (base / "model/partial").write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(60)
"""


def lines(bench: Bench) -> list[str]:
    return [line for found in bench.host.logs.values() for line in found]


def test_a_failure_file_becomes_the_failure_reason(bench: Bench) -> None:
    text = "import os, sys\nopen(os.environ['SAGEMAKER_BASE_DIR'] + '/output/failure', 'w').write('bad depth')\nsys.exit(2)"
    bench.program("work.py", text)
    bench.train("fails")
    job = bench.ended("fails")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: bad depth, exit code: 2"


def test_a_stopped_job_gets_sigterm_and_its_model_is_kept(bench: Bench) -> None:
    bench.program("work.py", POLITE)
    bench.train("polite")
    bench.until(lambda: "up" in lines(bench))
    bench.call("StopTrainingJob", TrainingJobName="polite")
    job = bench.ended("polite")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert bench.host.content("out", "models/polite/output/model.tar.gz")
    with pytest.raises(Refused, match="is in status Stopped"):
        bench.call("StopTrainingJob", TrainingJobName="polite")


def test_a_program_that_ignores_sigterm_is_killed_with_its_children_after_the_grace(bench: Bench) -> None:
    text = "import os, signal, time\nsignal.signal(15, signal.SIG_IGN)\nos.write(1, b'%d\\n' % (os.fork() or os.getpid()))\ntime.sleep(60)"
    bench.program("work.py", text)
    bench.train("stubborn")
    bench.until(lambda: len(lines(bench)) == 2)
    bench.call("StopTrainingJob", TrainingJobName="stubborn")
    assert bench.ended("stubborn")["TrainingJobStatus"] == "Stopped"
    children = [int(line) for line in lines(bench)]
    bench.until(lambda: not any(alive(child) for child in children))


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_training_job_beyond_its_time_is_stopped_with_its_model(bench: Bench) -> None:
    bench.program("work.py", POLITE)
    bench.train("long", StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = bench.ended("long")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert bench.host.content("out", "models/long/output/model.tar.gz")


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject", "kms:Decrypt", "s3:PutObject"])
def test_a_role_without_a_permission_fails_its_job_by_name(bench: Bench, action: str) -> None:
    bench.program("work.py", "import os\nopen(os.environ['SAGEMAKER_BASE_DIR'] + '/model/m', 'w').write('m')")
    bench.host.put("data", "census/a.csv", b"1")
    bench.host.kms["data"] = "arn:aws:kms:eu-central-1:123456789012:key/1"
    bench.host.forbidden.add((ROLE, action))
    bench.train("denied", InputDataConfig=[CHANNEL])
    job = bench.ended("denied")
    assert job["TrainingJobStatus"] == "Failed"
    assert f"not authorized to perform: {action}" in job["FailureReason"]


def test_an_empty_channel_fails_as_on_aws(bench: Bench) -> None:
    bench.train("empty", InputDataConfig=[CHANNEL])
    assert "No S3 objects found under S3 URL" in bench.ended("empty")["FailureReason"]


def test_a_program_that_writes_to_its_input_fails(bench: Bench) -> None:
    bench.program("work.py", "import os\nopen(os.environ['SAGEMAKER_BASE_DIR'] + '/input/data/train/a.csv', 'a').write('x')")
    bench.host.put("data", "census/a.csv", b"1")
    bench.train("writes", InputDataConfig=[CHANNEL])
    assert "inputs are read-only" in bench.ended("writes")["FailureReason"]


def test_the_caller_must_be_allowed_to_pass_the_role(bench: Bench) -> None:
    bench.host.forbidden.add(("caller", "iam:PassRole"))
    with pytest.raises(Refused, match="iam:PassRole") as refused:
        bench.train("passes")
    assert bench.host.asked[-1] == ("caller", "iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"})
    assert refused.value.code == "AccessDeniedException"


def test_a_role_that_does_not_trust_sagemaker_is_refused(bench: Bench) -> None:
    bench.host.untrusted.add(ROLE)
    with pytest.raises(Refused, match="Could not assume role"):
        bench.train("untrusted")


def test_a_job_name_is_used_once_for_ever(bench: Bench) -> None:
    """What abuse row 68 meets: the earlier try holds the name."""
    bench.program("work.py", "")
    bench.train("once")
    bench.ended("once")
    bench.reopen()
    with pytest.raises(Refused, match="already exists") as refused:
        bench.train("once")
    assert refused.value.code == "ResourceInUse"


def test_more_jobs_than_cores_wait_in_order_and_can_be_stopped_while_waiting(bench: Bench) -> None:
    bench.program("work.py", SLEEPER)
    for name in ("one", "two", "three", "four"):
        bench.train(name)
    assert bench.service.queue() == ["training-job/three", "training-job/four"]
    page = json.loads((bench.host.state / "sagemaker" / "queue.json").read_text(encoding="utf-8"))
    assert page == {"running": ["training-job/one", "training-job/two"], "waiting": ["training-job/three", "training-job/four"]}
    waiting = bench.call("DescribeTrainingJob", TrainingJobName="three")
    assert (waiting["TrainingJobStatus"], waiting["SecondaryStatus"]) == ("InProgress", "Starting")
    assert waiting["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Waiting for a free core; 0 jobs are ahead"
    bench.call("StopTrainingJob", TrainingJobName="three")
    assert bench.ended("three")["TrainingJobStatus"] == "Stopped"
    bench.call("StopTrainingJob", TrainingJobName="one")
    bench.ended("one")
    bench.until(lambda: bench.service.queue() == [])


def test_jobs_that_ran_when_the_platform_died_are_closed_as_failed(bench: Bench) -> None:
    bench.program("work.py", SLEEPER)
    bench.train("lost")
    bench.until(lambda: "up" in lines(bench))
    record = bench.host.state / "sagemaker/records/training-jobs/lost.json"
    before = record.read_text(encoding="utf-8")
    bench.service.close()
    time.sleep(0.5)
    record.write_text(before, encoding="utf-8")
    bench.reopen()
    job = bench.call("DescribeTrainingJob", TrainingJobName="lost")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "InternalServerError: the local platform was stopped"


def test_events_follow_every_change_of_state(bench: Bench) -> None:
    bench.program("work.py", "")
    bench.train("seen")
    bench.ended("seen")
    bench.until(lambda: len(bench.host.events) == 5)
    assert {kind for kind, _ in bench.host.events} == {"SageMaker Training Job State Change"}
    assert [detail["SecondaryStatus"] for _, detail in bench.host.events] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    moment = bench.host.events[-1][1]["TrainingEndTime"]
    assert isinstance(moment, int)
    assert abs(moment / 1000 - time.time()) < 60


def test_a_job_sees_nothing_of_the_platforms_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    bench.program("work.py", "import json, os\nprint(json.dumps(dict(os.environ)))")
    bench.train("scrubbed")
    bench.ended("scrubbed")
    seen = json.loads(lines(bench)[0])
    assert "GITHUB_TOKEN" not in seen
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert seen["PATH"] == f"{bench.bin}:/usr/bin:/bin"
    assert seen["HOME"].endswith("sagemaker/jobs/scrubbed")


def test_an_unknown_image_is_refused_with_what_there_is(bench: Bench) -> None:
    image = IMAGE.replace("mlops-work", "other")
    with pytest.raises(Refused, match="it has mlops-serve, mlops-work"):
        bench.train("image", AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"})


def test_checkpoints_are_restored_and_synchronised(bench: Bench) -> None:
    text = "import os, pathlib\nf = pathlib.Path(os.environ['SAGEMAKER_BASE_DIR'], 'checkpoints')\n"
    text += "(f / 'new').write_text((f / 'old').read_text() + '!')"
    bench.program("work.py", text)
    bench.host.put("out", "ck/old", b"step 1")
    bench.train("resumes", CheckpointConfig={"S3Uri": "s3://out/ck"})
    assert bench.ended("resumes")["TrainingJobStatus"] == "Completed"
    assert bench.host.content("out", "ck/new") == b"step 1!"


def test_the_process_table_tells_when_a_process_started() -> None:
    assert start_time(os.getpid())
    assert start_time(2**22 + 1) is None


def test_unknown_jobs_answer_with_the_codes_that_clients_know(bench: Bench) -> None:
    for operation, code in (("DescribeTrainingJob", "ValidationException"), ("StopTrainingJob", "ResourceNotFound")):
        with pytest.raises(Refused) as refused:
            bench.call(operation, TrainingJobName="nobody")
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        bench.call("DescribeProcessingJob", ProcessingJobName="nobody")
    assert refused.value.code == "ResourceNotFound"


def test_a_log_that_cannot_be_kept_does_not_stop_the_program(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(bench.host, "write_logs", broken)
    bench.program("work.py", "print('x' * 100_000)\nprint('y' * 100_000)")
    bench.train("mute")
    assert bench.ended("mute")["TrainingJobStatus"] == "Completed"


def test_a_later_launcher_kills_what_an_earlier_one_left(tmp_path: Path) -> None:
    first = Launcher(tmp_path)
    command = [sys.executable, "-c", "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"]
    process = first.start(command, environment=dict(os.environ), folder=tmp_path, on_lines=lambda _: None)
    assert process.alive()
    second = Launcher(tmp_path)
    assert process.wait(5) is not None
    second.close()
    first.close()


def test_a_guard_whose_platform_is_gone_starts_nothing(tmp_path: Path) -> None:
    stranger = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True, text=True
    ).stdout.strip()
    mark = tmp_path / "started"
    command = [sys.executable, "-I", "-S", str(GUARD), stranger, sys.executable, "-c", f"open({str(mark)!r}, 'w')"]
    assert subprocess.run(command, check=False, timeout=10).returncode == 0
    assert not mark.exists()
