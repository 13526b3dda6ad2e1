"""Training jobs really run under the container contract."""

from __future__ import annotations

import io
import json
import tarfile

from tests.unit.local.aws.sagemaker.bench import IMAGE, Bench

CHANNEL = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/census/"}}}

TRAINER = """
import json, os, sys
from pathlib import Path
base = Path(os.environ["SAGEMAKER_BASE_DIR"])
assert sys.argv[1:] == ["train"], sys.argv
rows = sorted(path.relative_to(base).as_posix() for path in (base / "input/data/train").rglob("*") if path.is_file())
params = json.loads((base / "input/config/hyperparameters.json").read_text())
(base / "model/model.json").write_text(json.dumps({"rows": rows, "params": params, "env": dict(os.environ)}))
(base / "output/data/report.txt").write_text("fine")
print("#metric validation:auc=0.5;")
print("#metric validation:auc=0.91;")
"""


def test_a_training_job_reads_its_channel_and_leaves_its_model(bench: Bench) -> None:
    bench.program("work.py", TRAINER)
    bench.host.put("data", "census/part/a.csv", b"1,2")
    bench.host.put("data", "census/b.csv", b"3,4")
    answer = bench.train("census-1", InputDataConfig=[CHANNEL], HyperParameters={"max_depth": "6"}, Environment={"COLOUR": "red"})
    assert answer["TrainingJobArn"].endswith(":training-job/census-1")
    job = bench.ended("census-1")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed"), job
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://out/models/census-1/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(bench.host.content("out", "models/census-1/output/model.tar.gz"))) as tar:
        member = tar.extractfile("model.json")
        assert member is not None
        model = json.load(member)
    assert model["rows"] == ["input/data/train/b.csv", "input/data/train/part/a.csv"]
    assert model["params"] == {"max_depth": "6"}
    assert model["env"]["COLOUR"] == "red"
    assert model["env"]["TRAINING_JOB_NAME"] == "census-1"
    assert bench.host.content("out", "models/census-1/output/output.tar.gz")
    assert job["BillableTimeInSeconds"] >= 1


def test_metric_definitions_are_read_from_the_log(bench: Bench) -> None:
    bench.program("work.py", TRAINER)
    bench.host.put("data", "census/b.csv", b"3,4")
    definition = {"Name": "validation:auc", "Regex": "#metric validation:auc=([0-9.]+);"}
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [definition]}
    bench.train("census-2", InputDataConfig=[CHANNEL], AlgorithmSpecification=algorithm)
    job = bench.ended("census-2")
    assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [("validation:auc", 0.91)]
    expected = ("/aws/sagemaker/TrainingJobs", "validation:auc", {"TrainingJobName": "census-2"})
    assert [entry[3] for entry in bench.host.metrics if entry[:3] == expected] == [0.5, 0.91]
    ((group, stream), lines) = next(iter(bench.host.logs.items()))
    assert group == "/aws/sagemaker/TrainingJobs"
    assert stream.startswith("census-2/algo-1-")
    assert lines == ["#metric validation:auc=0.5;", "#metric validation:auc=0.91;"]
