"""How a job meets the platform: exit codes, messages, signals, hyperparameters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_core.errors import InvalidRequest, Refused
from mlops_core.jobs.contract import JobFolder, failure_text
from mlops_core.jobs.main import main
from tests.unit.jobs import job_files as jobs


def test_an_unknown_word_says_which_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy"], {"SAGEMAKER_BASE_DIR": str(tmp_path)}) == 2
    assert "mlops-job data | training | train" in capsys.readouterr().err


def test_a_job_without_its_config_says_what_is_missing(tmp_path: Path) -> None:
    done = jobs.run("data", tmp_path)
    assert (done.code, done.message["code"]) == (2, "E-JOB-002")
    assert "config.json" in done.message["headline"]


def test_an_unknown_field_in_the_config_is_refused_by_name(tmp_path: Path) -> None:
    done = jobs.prepare(tmp_path, b"a,y\n", speed="high")
    assert "speed" in done.message["headline"]


def test_more_than_one_raw_file_is_refused(tmp_path: Path) -> None:
    jobs.prepare(tmp_path, b"a,y\n")
    (tmp_path / "processing" / "input" / "raw" / "second.csv").write_text("a,y\n")
    assert jobs.run("data", tmp_path).message["code"] == "E-JOB-003"


def test_an_error_we_did_not_foresee_leaves_its_kind_as_the_reason(tmp_path: Path) -> None:
    prepared = jobs.prepare(tmp_path / "data", jobs.csv(jobs.people(100)))
    (prepared.prepared / "features" / "train.parquet").write_bytes(b"not parquet")
    (prepared.prepared / "profile.json").unlink()  # it pins the bytes, and another error would come first
    done = jobs.train(tmp_path / "train", prepared.prepared)
    assert (done.code, done.message["code"]) == (1, "E-JOB-001")
    assert "Arrow" in done.message["headline"]


@pytest.mark.parametrize("headline", ["x" * 5000, "本" * 5000, '"' * 5000])
@pytest.mark.parametrize("remedy", ["", "y" * 400, "年" * 3000])
def test_a_failure_text_is_valid_json_of_at_most_a_kilobyte(headline: str, remedy: str) -> None:
    text = failure_text(Refused(headline, remedy=remedy, code="E-X-001"))
    assert len(f"AlgorithmError: {text}, exit code: 143".encode()) <= 1024
    assert json.loads(text)["code"] == "E-X-001"


def test_a_short_failure_is_told_in_full() -> None:
    assert json.loads(failure_text(InvalidRequest("no.", remedy="do.", code="E-X-002"))) == {
        "code": "E-X-002", "headline": "no.", "remedy": "do."
    }  # fmt: skip


def test_the_platforms_own_hyperparameters_are_left_out(tmp_path: Path) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps({"max_depth": "3", "_tuning_objective": "x", "sagemaker_region": "y"}))
    folder = JobFolder(tmp_path)
    assert folder.hyperparameters() == {"max_depth": "3"}
    assert folder.threads() == len(os.sched_getaffinity(0))


def test_sigterm_ends_the_job_with_a_reason(tmp_path: Path) -> None:
    table = jobs.people(20_000)
    prepared = jobs.prepare(tmp_path / "data", jobs.csv(table))
    base = tmp_path / "train"
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "data").mkdir(parents=True)
    (base / "input" / "data" / "prepared").symlink_to(prepared.prepared)
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps({"n_estimators": "5000", "max_depth": "16"}))
    command = [sys.executable, "-m", "mlops_core.jobs.main", "train"]
    environment = os.environ | {"SAGEMAKER_BASE_DIR": str(base)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as job:
        assert job.stdout is not None
        while "features" not in (line := job.stdout.readline()):
            assert line, "the training ended before it began"
        time.sleep(0.2)
        job.send_signal(signal.SIGTERM)
        job.stdout.read()
    assert job.returncode == 143
    assert json.loads((base / "output" / "failure").read_text())["code"] == "E-JOB-004"


SWALLOWED = """
import signal, sys
from mlops_core.jobs import main, training
def library(_):
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:
        pass
training.run = library
sys.exit(main.main(["train"]))
"""


def test_a_stop_inside_a_library_that_swallows_exceptions_is_a_stop_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    done = subprocess.run([sys.executable, "-c", SWALLOWED], env=os.environ | {"SAGEMAKER_BASE_DIR": str(tmp_path)}, check=False)
    assert done.returncode == 143
    assert json.loads((tmp_path / "output" / "failure").read_text())["code"] == "E-JOB-004"
    assert not (tmp_path / "scratch").exists()
