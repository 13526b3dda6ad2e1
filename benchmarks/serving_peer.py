"""The peer of `benchmarks/serving.py`: FastAPI with a pydantic model per row, and the same trees in XGBoost's own runtime.

    MODEL=folder uvicorn --app-dir benchmarks serving_peer:app --port 8081 --log-level warning

Written as the framework's documentation shows it; the features are encoded by the model's own specification.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel, Field, create_model

FOLDER = Path(os.environ["MODEL"])
SPEC = json.loads((FOLDER / "spec.json").read_text())
LABELS = SPEC["labels"]
BOOSTER = xgboost.Booster(model_file=str(FOLDER / "native" / "xgboost.json"))
BOOSTER.set_param({"nthread": 1})
KINDS = {"float64": float | None, "int64": int | None}

_fields: dict[str, Any] = {f"n{i}": (KINDS[c["type"]], Field(None, alias=c["name"])) for i, c in enumerate(SPEC["numeric"])}
_fields |= {f"c{i}": (str | None, Field(None, alias=c["name"])) for i, c in enumerate(SPEC["categorical"])}
Row = create_model("Row", **_fields)
NUMERIC = [(f"n{i}", np.nan if c["fill"] is None else c["fill"], c["mean"], c["scale"]) for i, c in enumerate(SPEC["numeric"])]
CATEGORICAL = [(f"c{i}", c["fill"], {name: place for place, name in enumerate(c["categories"])}) for i, c in enumerate(SPEC["categorical"])]


class Instances(BaseModel):
    instances: list[Row]  # type: ignore[valid-type]


app = FastAPI()


def features(rows: list[Any]) -> np.ndarray[Any, Any]:
    width = len(NUMERIC) + sum(len(places) for _, _, places in CATEGORICAL)
    table = np.zeros((len(rows), width), dtype=np.float32)
    for number, row in enumerate(rows):
        for place, (name, fill, mean, scale) in enumerate(NUMERIC):
            value = getattr(row, name)
            table[number, place] = ((fill if value is None else value) - mean) / scale
        start = len(NUMERIC)
        for name, fill, places in CATEGORICAL:
            found = places.get(getattr(row, name) or fill)
            if found is not None:
                table[number, start + found] = 1
            start += len(places)
    return table


@app.post("/invocations")
def invocations(body: Instances) -> dict[str, Any]:
    scores = BOOSTER.inplace_predict(features(body.instances))
    return {
        "predictions": [
            {
                "label": LABELS[int(score >= 0.5)],
                "score": float(score),
                "probabilities": {LABELS[0]: 1 - float(score), LABELS[1]: float(score)},
            }
            for score in scores
        ]
    }
