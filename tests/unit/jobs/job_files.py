"""Make the folders of a job as the platform would, run it in this process, read what it left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_core.contracts.dataset import DataProfile, FeatureSpec
from mlops_core.jobs.archive import write_archive
from mlops_core.jobs.main import main


@dataclass
class Outcome:
    """Exit code, message and base folder of a job that ran."""

    code: int
    base: Path

    @property
    def message(self) -> dict[str, str]:
        for name in ("message", "failure"):
            path = self.base / "output" / name
            if path.exists():
                found: dict[str, str] = json.loads(path.read_text())
                return found
        return {}

    @property
    def prepared(self) -> Path:
        return self.base / "processing" / "output" / "prepared"

    @property
    def profile(self) -> DataProfile:
        return DataProfile.model_validate_json((self.prepared / "profile.json").read_bytes())

    @property
    def spec(self) -> FeatureSpec:
        return FeatureSpec.model_validate_json((self.prepared / "spec.json").read_bytes())

    def finding(self, code: str) -> dict[str, Any]:
        return next(dict(item.values) | {"columns": item.columns} for item in self.profile.findings if item.code == code)


def run(word: str, base: Path) -> Outcome:
    return Outcome(main([word], {"SAGEMAKER_BASE_DIR": str(base)}), base)


def prepare(base: Path, raw: bytes, *, test: bytes | None = None, name: str = "data.csv", **config: object) -> Outcome:
    """Run the data job on the bytes of a file."""
    inputs = base / "processing" / "input"
    for folder in ("config", "raw", "test"):
        (inputs / folder).mkdir(parents=True)
    (inputs / "raw" / name).write_bytes(raw)
    if test is not None:
        (inputs / "test" / name).write_bytes(test)
    settings = {"task": "binary", "target": "y", "has_test_file": test is not None, "memory_limit_mb": 256, "threads": 1} | config
    (inputs / "config" / "config.json").write_text(json.dumps(settings))
    return run("data", base)


def train(base: Path, prepared: Path, **hyperparameters: str) -> Outcome:
    """Run the training job on a prepared folder."""
    (base / "input" / "config").mkdir(parents=True)
    (base / "input" / "data").mkdir(parents=True)
    (base / "input" / "data" / "prepared").symlink_to(prepared)
    trees = {} if hyperparameters.get("mlops_algorithm", "").endswith("regression") else {"n_estimators": "12"}
    given = {"mlops_algorithm": "xgboost", "mlops_seed": "7"} | trees | hyperparameters
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(given))
    (base / "input" / "config" / "resourceconfig.json").write_text(json.dumps({"num_cpus": 1}))
    return run("train", base)


def training_archives(trained: Path) -> tuple[bytes, bytes]:
    """model.tar.gz and output.tar.gz of a training job."""
    model = trained / "model"
    files = {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    output = {"predictions.parquet": (trained / "output" / "data" / "predictions.parquet").read_bytes()}
    return write_archive(files), write_archive(output)


def people(rows: int = 200, *, classes: int = 2) -> list[list[str]]:
    """Header and rows of a small table with numbers, text, holes and a target that depends on them."""
    table = [["age", "income", "city", "y"]]
    for index in range(rows):
        age, income = 20 + (index * 37) % 50, 1000.5 + (index * 7919) % 4000
        city = ("Oslo", "Bergen", "Molde")[index % 3]
        label = ("no", "yes", "maybe")[(age > 45) + (classes > 2 and income > 3500)]
        table.append([str(age), "" if index % 11 == 0 else f"{income:.2f}", "?" if index % 13 == 0 else city, label])
    return table


def csv(table: list[list[str]], separator: str = ",") -> bytes:
    return "".join(separator.join(row) + "\n" for row in table).encode()
