"""Golden pages: what people read of a whole run, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops_core.contracts.request import Language
from tests.cases.pages import CASES, page

FOLDERS = sorted(path.parent for path in CASES.glob("*/state.json"))
NAMES = {"ROC", "AUC", "UTC", "AWS", "SageMaker", "GitHub", "Issue", "Amazon", "AI", "pricing", "on", "demand", "InvalidRequest", "XGBoost"}


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_run_reads_as_it_is_written_down(folder: Path, language: Language) -> None:
    assert page(folder, language) == (folder / f"comment.{language}.md").read_text(encoding="utf-8")


def test_every_folder_is_an_issue_or_a_run() -> None:
    folders = [path for path in CASES.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert [path.name for path in folders if (path / "issue.md").exists() == (path / "state.json").exists()] == []
    assert {path.name for folder in FOLDERS for path in folder.iterdir()} == {"state.json", "comment.en.md", "comment.ja.md"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_japanese_page_holds_no_english_words_outside_code_links_and_original_messages(folder: Path) -> None:
    text = re.sub(r"```.*?```", "", page(folder, "ja"), flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|https?://\S+|&#\d+;|mlops-[a-z-]+|/retrain|us-east-1|[WE]-[A-Z]+-[0-9A-Z]+", "", text)
    data = {"penguins", "species", "specie", "sex", "Chinstrap", "s", "min"}
    assert set(re.findall(r"[A-Za-z]+", text)) - NAMES - data == set()
