"""Job requests: built exactly, started once, adopted when ours, refused when another's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_core import errors
from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities import data, evaluation, training
from mlops_core.capabilities.issue import start_run
from mlops_core.capabilities.optimization import propose_plan
from mlops_core.contracts.dataset import DataJobConfig
from mlops_core.contracts.evaluation import EvaluationJobConfig
from mlops_core.facts import ProcessingJob, TrainingJob
from mlops_core.runs.jobs import TAG_DIGEST, TAG_RUN
from mlops_core.runs.state import read_run
from tests.unit.mcp_server import world as w

PREPARED = "s3://lake/datasets/adult/versions/v1.0.0/0123456789abcdef/"


def started(**changes: object) -> tuple[MemoryPorts, str]:
    """A run that has begun."""
    memory = w.world(code_commit="abc")
    return memory, start_run(memory.ports, w.approved(**changes)).run_id


def start_data(memory: MemoryPorts, run: str, **changes: Any) -> object:
    """The data job of a run."""
    given: dict[str, Any] = {
        "job": f"mlops-{run}-data", "config": DataJobConfig(task="binary", target="income"), "raw_uri": w.RAW, "test_uri": None,
        "output_uri": PREPARED, "instance_type": "ml.m5.large", "max_runtime_seconds": 3600,
    }  # fmt: skip
    return data.start_data_job(memory.ports, run, **{**given, **changes})


def start_training(memory: MemoryPorts, run: str, **changes: Any) -> object:
    """A training job of a run."""
    given: dict[str, Any] = {
        "job": f"mlops-{run}-train-r0", "algorithm": "xgboost", "task": "binary", "metric": "roc_auc", "seed": 42,
        "hyperparameters": {"learning_rate": 0.00005 * 2, "max_depth": 6}, "prepared_uri": PREPARED,
        "output_uri": f"s3://lake/models/income/{run}-r0/", "instance_type": "ml.m5.large", "max_runtime_seconds": 3600,
    }  # fmt: skip
    return training.start_training_job(memory.ports, run, **{**given, **changes})


def test_the_data_job_reads_and_writes_where_its_contract_says() -> None:
    memory, run = started()
    memory.objects.write("s3://lake/datasets/adult/raw/test.csv.gz", b"x")
    start_data(memory, run, test_uri="s3://lake/datasets/adult/raw/test.csv.gz")
    job = memory.jobs.asked[f"mlops-{run}-data"]
    assert isinstance(job, ProcessingJob)
    assert job.program == "data"
    assert {name: path for name, _, path in job.inputs} == {
        "config": "/opt/ml/processing/input/config", "raw": "/opt/ml/processing/input/raw", "test": "/opt/ml/processing/input/test",
    }  # fmt: skip
    assert job.outputs == (("prepared", PREPARED.rstrip("/"), "/opt/ml/processing/output/prepared"),)
    assert job.tags[TAG_RUN] == run
    assert job.environment["MLOPS_RUN_ID"] == run
    config = next(uri for name, uri, _ in job.inputs if name == "config")
    assert json.loads(memory.objects.read(f"{config}config.json"))["target"] == "income"


def test_abuse_row_68_a_repeated_start_adopts_the_job_of_ours() -> None:
    memory, run = started()
    assert [getattr(start_data(memory, run), "adopted") for _ in range(3)] == [False, True, True]  # noqa: B009
    assert len(memory.jobs.asked) == 1


def test_abuse_row_68_a_name_that_holds_another_job_is_refused() -> None:
    memory, run = started()
    start_data(memory, run)
    with pytest.raises(errors.Conflict) as caught:
        start_data(memory, run, instance_type="ml.m5.xlarge")
    assert caught.value.code == "E-JOB-OTHER"
    assert memory.jobs.asked[f"mlops-{run}-data"].tags[TAG_DIGEST]


def test_a_file_whose_name_begins_another_is_refused_because_both_would_be_read() -> None:
    memory, run = started()
    memory.objects.write(f"{w.RAW}.bak", b"x")
    with pytest.raises(errors.InvalidRequest):
        start_data(memory, run)


def test_hyperparameters_travel_as_plain_text_and_are_checked() -> None:
    memory, run = started()
    start_training(memory, run)
    job = memory.jobs.asked[f"mlops-{run}-train-r0"]
    assert isinstance(job, TrainingJob)
    assert job.hyperparameters["learning_rate"] == "0.0001"
    assert job.hyperparameters["mlops_algorithm"] == "xgboost"
    assert len(job.metrics) <= 40
    assert "validation:roc_auc" in job.metrics
    for wrong in ({"max_dept": 6}, {"max_depth": 99}, {"max_depth": "6; rm"}):
        with pytest.raises(errors.InvalidRequest):
            start_training(memory, run, job=f"mlops-{run}-train-r1", hyperparameters=wrong)


def test_a_second_attempt_finds_the_checkpoints_of_the_first() -> None:
    memory, run = started()
    for suffix in ("", "-a2"):
        start_training(memory, run, job=f"mlops-{run}-train-r0{suffix}")
    places = {job.checkpoint_uri for job in memory.jobs.asked.values() if isinstance(job, TrainingJob)}
    assert places == {f"s3://lake/models/income/{run}-r0/checkpoints"}


def test_classes_are_weighed_where_there_are_classes() -> None:
    memory, run = started()
    start_training(memory, run, hyperparameters={"class_weight": "balanced"})
    with pytest.raises(errors.InvalidRequest) as caught:
        start_training(
            memory, run, job=f"mlops-{run}-train-r1", task="regression", metric="rmse", hyperparameters={"class_weight": "balanced"}
        )
    assert caught.value.code == "E-TRAIN-005"


def test_the_evaluation_job_gets_model_and_prepared_data() -> None:
    memory, run = started()
    config = EvaluationJobConfig(run_id=run, model_name="income", task="binary", metric="roc_auc", split="validation")
    evaluation.start_evaluation_job(
        memory.ports, run, f"mlops-{run}-eval-r0", config, f"s3://lake/models/income/{run}-r0/x/output/", PREPARED,
        f"s3://lake/evaluations/{run}-r0/", "ml.m5.large", 3600,
    )  # fmt: skip
    job = memory.jobs.asked[f"mlops-{run}-eval-r0"]
    assert isinstance(job, ProcessingJob)
    assert [name for name, _, _ in job.inputs] == ["config", "model", "prepared"]


@pytest.mark.parametrize("uri", ["s3://lake/evaluations/x/", "s3://other/datasets/x/", "s3://lake/datasets/../x/"])
def test_jobs_read_prepared_data_of_ours_only(uri: str) -> None:
    memory, run = started()
    with pytest.raises(errors.InvalidRequest):
        start_training(memory, run, prepared_uri=uri)


def test_versions_follow_the_bytes_and_are_never_given_twice() -> None:
    memory, run = started()
    versions = [data.allocate_version(memory.ports, run, "adult", digit * 64)["version"] for digit in "aab"]
    assert versions == ["v1.0.0", "v1.0.0", "v1.0.1"]


def test_a_parked_token_is_woken_once() -> None:
    memory, run = started()
    from mlops_core.runs.progress import park_token

    job = f"mlops-{run}-data"
    memory.machines.waiting.add("t")
    park_token(memory.ports, run, job, "t")
    assert [training.wake_job(memory.ports, job)["woken"] for _ in range(2)] == [True, False]


def plan(rows: int = 30_000, **changes: object) -> tuple[MemoryPorts, dict[str, Any]]:
    """The plan of a run whose data were prepared."""
    memory, run = started(**changes)
    from mlops_core.contracts.changes import RunChanges
    from mlops_core.runs.progress import record_progress

    record_progress(memory.ports, run, RunChanges(prepared_uri=PREPARED))
    w.put(memory, f"{PREPARED}profile.json", w.profile(rows))
    assert read_run(memory.ports, run).prepared_uri == PREPARED
    return memory, propose_plan(memory.ports, run)


def test_a_plan_takes_the_cheapest_type_that_fits_and_says_why() -> None:
    _, found = plan()
    assert (found["algorithm"], found["instance_type"]) == ("xgboost", "ml.m5.large")
    assert found["price_usd_per_hour"] == 0.115
    assert any("30,000 training rows" in reason for reason in found["reasons"])


def test_few_rows_are_given_to_the_forest_unless_the_parameters_say_otherwise() -> None:
    assert plan(rows=1500)[1]["algorithm"] == "random_forest"
    assert plan(rows=500, hyperparameters={"learning_rate": 0.1})[1]["algorithm"] == "xgboost"


def test_a_linear_method_gets_data_with_few_rows_a_feature_unless_the_parameters_say_otherwise() -> None:
    _, found = plan(rows=500)
    assert found["algorithm"] == "logistic_regression"
    assert any("500 training rows for 100 features" in reason for reason in found["reasons"])
    assert plan(rows=500, hyperparameters={"max_depth": 4})[1]["algorithm"] == "random_forest"


def test_a_cost_becomes_a_shorter_run_time() -> None:
    assert plan(max_cost_usd=0.05)[1]["max_runtime_seconds"] == int(0.05 / 0.115 * 3600)


def test_data_that_no_allowed_type_can_hold_are_refused_before_money_is_spent() -> None:
    with pytest.raises(errors.Refused) as caught:
        plan(rows=2_000_000_000)
    assert caught.value.code in {"E-PLAN-MEMORY", "E-PLAN-TIME"}
