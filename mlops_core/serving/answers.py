"""From scores to bytes, and from the Accept header to a format.

    encode = Encoder(model)
    encode.json(scores)      # {"predictions": [{"label": …, "score": …, "probabilities": {…}}], "model": {…}}
    encode.lines(scores)     # the same predictions, one object a line
    encode.csv(scores)       # label,score per row, no header; regression: the value alone

``score`` is the probability of the positive class (binary), of the chosen class (multiclass) or the value (regression).  Labels follow
the one stated rule: positive at 0.5 and above; the first of the greatest.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from mlops_core.serving.model import ServedModel

Array = np.ndarray[Any, Any]
JSON, CSV, LINES = "application/json", "text/csv", "application/jsonlines"
TYPES = (JSON, LINES, CSV)
"""What is read and written, the default first."""


class NoNumberError(ValueError):
    """The model gave a score that is no number."""


def negotiated(accept: str) -> str | None:
    """The best offered type for an Accept header; None when nothing offered is acceptable."""
    if accept in ("", "*/*", JSON):
        return JSON
    weights = dict.fromkeys(TYPES, -1.0)
    for part in accept.split(","):
        kind, _, parameters = part.strip().partition(";")
        weight = _weight(parameters)
        for offered, known in weights.items():
            if kind.strip().lower() in (offered, "*/*", offered.split("/", maxsplit=1)[0] + "/*"):
                weights[offered] = max(known, weight)
    best = max(weights, key=lambda offered: weights[offered])
    return best if weights[best] > 0 else None


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


class Encoder:
    """Writes answers of one model."""

    def __init__(self, model: ServedModel) -> None:
        manifest = model.manifest
        self._task = manifest.task
        self._labels = manifest.labels
        self._quoted = tuple(json.dumps(label, ensure_ascii=False) for label in manifest.labels)
        identity = {"name": manifest.model_name, "version": manifest.version}
        self._tail = f'],"model":{json.dumps(identity, separators=(",", ":"))}}}\n'
        if self._task == "binary":
            no, yes = (label.replace("%", "%%") for label in self._quoted)
            self._binary = (
                '{"label":' + no + ',"score":%.9g,"probabilities":{' + no + ":%.9g," + yes + ":%.9g}}",
                '{"label":' + yes + ',"score":%.9g,"probabilities":{' + no + ":%.9g," + yes + ":%.9g}}",
            )

    def json(self, scores: Array) -> bytes:
        """The JSON body of some rows."""
        _finite(scores)
        return self.json_rows(scores.tolist())

    def json_rows(self, rows: list[list[float]]) -> bytes:
        """The JSON body of rows known to be finite."""
        return ('{"predictions":[' + ",".join(self._parts(rows)) + self._tail).encode()

    def _parts(self, rows: list[list[float]]) -> list[str]:
        if self._task == "binary":
            return [self._binary[score >= 0.5] % (score, 1 - score, score) for (score,) in rows]
        if self._task == "multiclass":
            return [self._multiclass(row) for row in rows]
        return [f'{{"score":{value:.9g}}}' for (value,) in rows]

    def lines(self, scores: Array) -> bytes:
        """The JSON lines body of some rows; which model answered is in the headers alone."""
        _finite(scores)
        return "".join(f"{part}\n" for part in self._parts(scores.tolist())).encode()

    def body(self, scores: Array, accept: str) -> bytes:
        """The body in one of `TYPES`; `NoNumberError` when a score is not finite."""
        return self.csv(scores) if accept == CSV else self.lines(scores) if accept == LINES else self.json(scores)

    def join(self, bodies: list[bytes]) -> bytes:
        """Several JSON bodies of this encoder as one."""
        head, tail = len(b'{"predictions":['), len(self._tail.encode())
        return b'{"predictions":[' + b",".join(body[head:-tail] for body in bodies) + self._tail.encode()

    def _multiclass(self, row: list[float]) -> str:
        best = max(range(len(row)), key=row.__getitem__)
        shares = ",".join(f"{label}:{share:.9g}" for label, share in zip(self._quoted, row, strict=True))
        return f'{{"label":{self._quoted[best]},"score":{row[best]:.9g},"probabilities":{{{shares}}}}}'

    def csv(self, scores: Array) -> bytes:
        """The CSV body of some rows."""
        _finite(scores)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in scores.tolist():
            if self._task == "regression":
                writer.writerow([f"{row[0]:.9g}"])
            elif self._task == "binary":
                writer.writerow([self._labels[row[0] >= 0.5], f"{row[0]:.9g}"])
            else:
                best = max(range(len(row)), key=row.__getitem__)
                writer.writerow([self._labels[best], f"{row[best]:.9g}"])
        return text.getvalue().encode()


def _finite(scores: Array) -> None:
    if not np.isfinite(scores).all():
        raise NoNumberError("the model gave a score that is no number")
