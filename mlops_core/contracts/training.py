"""What the training job is told and what it writes.

Training job (program ``mlops-job train``): channels ``input/data/prepared`` (the data job's output folder) and hyperparameters (all
strings): ``mlops_algorithm``, ``mlops_task``, ``mlops_seed``, ``mlops_metric`` and the method's own names.  What an earlier attempt left
below ``checkpoints`` is taken up when it belongs to the same training.  It writes::

    model/model.onnx          feature graph + model graph: typed columns [N,1] in, `label` (int64 class index, or absent) and `score` out
    model/spec.json           the FeatureSpec
    model/training.json       TrainingReport
    model/native/xgboost.json where the method has a safe native format
    output/data/predictions.parquet   validation predictions of the training process: `__row` int64, `y` float64, `score_0`… float64

Score outputs: binary = probability of the positive class [N,1]; multiclass = probabilities [N,K]; regression = value [N,1].
One stated label rule: binary: positive when score >= 0.5; multiclass: the first index of the greatest score.
Log lines ``#metric validation:<name>=<value>;`` and ``#metric train:…`` feed the metric definitions; the last ones are those of the model
that was written.  They inform; the judge sees what the evaluation job measured on its own.
"""

from __future__ import annotations

from pydantic import Field

from mlops_core.contracts.base import Digest, Message
from mlops_core.contracts.request import Scalar, Task


class TrainingReport(Message):
    """The facts of one training: what was fitted, with what, how long, and the canonical digest of the weights.

    ``learning_curve`` has the axis ``round`` (boosting: after every round, at most 200 points) or ``rows`` (other methods: five growing
    parts of the training rows; for a forest with a tenth of its trees) and beside it figures ``train:<name>`` and
    ``validation:<name>``. ``rounds`` counts boosting rounds, trees or solver steps; ``best_round`` is the last round in the model when
    boosting may stop early; ``resumed_round`` the rounds that came from a checkpoint; ``converged`` says whether a solver reached its
    tolerance, None without one. ``class_weights`` holds the weight of a row by its label where classes do not weigh the same.
    """

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
    rounds: int = 0
    best_round: int | None = None
    resumed_round: int = 0
    converged: bool | None = None
    class_weights: dict[str, float] = Field(default_factory=dict)
