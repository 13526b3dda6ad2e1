"""What the training job is told and what it writes.

Training job (program ``mlops-job train``): channels ``input/data/prepared`` (the data job's output folder) and hyperparameters (all
strings): ``mlops_algorithm``, ``mlops_task``, ``mlops_seed``, ``mlops_metric`` and the method's own names.  It writes::

    model/model.onnx          feature graph + model graph: typed columns [N,1] in, `label` (int64 class index, or absent) and `score` out
    model/spec.json           the FeatureSpec
    model/training.json       TrainingReport
    model/native/xgboost.json where the method has a safe native format
    output/data/predictions.parquet   validation predictions of the training process: `__row` int64, `y` float64, `score_0`… float64

Score outputs: binary = probability of the positive class [N,1]; multiclass = probabilities [N,K]; regression = value [N,1].
One stated label rule: binary: positive when score >= 0.5; multiclass: the first index of the greatest score.
Log lines ``#metric validation:<name>=<value>;`` feed the metric definitions.
"""

from __future__ import annotations

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.request import Scalar, Task


class TrainingReport(Message):
    """The facts of one training: what was fitted, with what, how long, and the canonical digest of the weights."""

    algorithm: str
    task: Task
    seed: int
    hyperparameters: dict[str, Scalar]
    rows: int
    features: int
    threads: int
    weights_digest: Digest
    onnx_digest: Digest
    seconds: float
    export_seconds: float
    validation_metrics: dict[str, float]
    learning_curve: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    libraries: dict[str, str]
    code_commit: str = ""
