"""Images are made of their locks and started in a form that signals reach."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "containers").glob("*.Dockerfile"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_in_an_image_comes_from_a_hash_lock(path: Path) -> None:
    installs = re.findall(r"pip install[^\n&\\]*", path.read_text(encoding="utf-8"))
    assert installs
    assert all("--no-deps" in line and ("--require-hashes" in line or "/build/dist/" in line) for line in installs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_image_has_two_stages_a_base_that_can_be_replaced_and_an_exec_entry_point(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("FROM ${BASE}") == 2
    assert "ARG BASE=" in text
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    assert entry is not None
    assert json.loads(entry.group(1)) in (["mlops-job"], ["mlops-serve"])


def test_there_is_one_image_per_lock_of_an_image() -> None:
    assert [path.name for path in FILES] == ["serve.Dockerfile", "work.Dockerfile"]
    for path in FILES:
        assert f"locks/{path.name.removesuffix('.Dockerfile')}.txt" in path.read_text(encoding="utf-8")


def test_the_serving_lock_holds_no_learning_library() -> None:
    lock = (ROOT / "locks" / "serve.txt").read_text(encoding="utf-8")
    assert not re.search(r"^(scikit-learn|xgboost|xgboost-cpu|torch|duckdb)==", lock, re.MULTILINE)


def test_a_models_own_requirements_are_the_serving_lock() -> None:
    """`make locks` copies them."""
    packaged = ROOT / "mlops_core" / "serving" / "requirements.txt"
    assert packaged.read_bytes() == (ROOT / "locks" / "serve.txt").read_bytes()
