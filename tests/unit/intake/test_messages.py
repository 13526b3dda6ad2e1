"""Every text exists in both languages, and every code that is raised has one."""

from __future__ import annotations

import re
from pathlib import Path

from mlops_core.intake.messages import HEADLINES, NEXT_ACTS, PHRASES

INTAKE = Path(__file__).resolve().parents[3] / "mlops_core" / "intake"


def test_no_text_is_missing_or_left_in_the_other_language() -> None:
    for table in (HEADLINES, NEXT_ACTS, PHRASES):
        for key, texts in table.items():
            assert set(texts) == {"en", "ja"}, key
            assert texts["en"].isascii(), key
            assert not texts["ja"].isascii(), key


def test_every_code_that_the_parser_raises_has_a_text_and_every_text_is_used() -> None:
    used = {
        code
        for path in INTAKE.glob("*.py")
        if path.name != "messages.py"
        for code in re.findall(r'"(E-PARSE-\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert used == set(HEADLINES)
    assert set(NEXT_ACTS) <= set(HEADLINES)


def test_no_text_has_a_placeholder_that_input_could_fill() -> None:
    assert not any("{" in text for table in (HEADLINES, NEXT_ACTS, PHRASES) for texts in table.values() for text in texts.values())


def test_no_phrase_is_left_over() -> None:
    folders = (INTAKE, INTAKE.parent / "entrypoints")
    sources = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py") if path.name != "messages.py")
    assert all(re.search(f"[\"']{key}[\"']", sources) for key in PHRASES)
