"""Every code that the source raises is explained, in both languages, and nothing else is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs.codes import CODE_PAGES
from mlops_core.agents.following import failure
from mlops_core.explain import form
from mlops_core.explain.table import FAMILIES, SUBJECTS, TABLE, Explanation, close, find
from mlops_core.reporting.messages.failures import FAILURES

ROOT = Path(__file__).resolve().parents[3]
CODE = re.compile(r"[EW]-[A-Z]+(?:-[A-Z0-9]+)*")
SILENT = (
    *(f"mlops_core/explain/{subject.__name__.rpartition('.')[2]}.py" for subject in SUBJECTS),
    "mlops_core/explain/form.py",
    "mlops_core/reporting/messages/failures.py",
)
"""Places that talk about codes and raise none."""


def raised() -> set[str]:
    """Every whole string of the source that is a code, with those that are put together from a job's end."""
    found = {str(failure("job", {"status": status}).code) for status in ("failed", "stopped", "max_runtime", "internal_error")}
    for path in sorted((ROOT / "mlops_core").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(SILENT):
            constants = (node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant))
            found |= {value for value in constants if isinstance(value, str) and CODE.fullmatch(value)}
    return found


def test_every_code_that_is_raised_has_its_explanation() -> None:
    assert sorted(raised() - set(TABLE)) == []


def test_nothing_is_explained_that_nobody_raises() -> None:
    assert sorted(set(TABLE) - raised() - set(FAMILIES)) == []


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: str(item.code))
def test_an_explanation_is_whole_sentences_in_both_languages(item: Explanation) -> None:
    for end, language in (".", "en"), ("。", "ja"):
        words = item.words[language]
        for text in (words.means, words.why, words.act):
            assert text.endswith(end), text
            assert len(text) < 400
    assert re.search("[ぁ-ん]", item.words["ja"].means)
    assert not re.search("[ぁ-ん]", item.words["en"].means + item.words["en"].why + item.words["en"].act)


def test_a_code_is_found_however_it_is_written() -> None:
    assert find(" w-data-001 ") is TABLE["W-DATA-001"]
    assert find("E-AWS-AccessDeniedException") is TABLE["E-AWS"]
    assert find("E-AWS-NO-ANSWER") is TABLE["E-AWS-NO-ANSWER"]
    assert find("E-GITHUB-422") is TABLE["E-GITHUB"]
    assert find("E-NOTHING") is None
    assert find("InvalidRequest: the target 'y' holds a single value. (E-DATA-012)") is TABLE["E-DATA-012"]
    assert find("E-DATA-0123") is find("xE-DATA-012") is find("") is None


def test_the_nearest_spelling_comes_first() -> None:
    assert close("E-DATA-12")[0] == "E-DATA-012"
    assert close("E-DEPLOI-003")[0] == "E-DEPLOY-003"
    assert close("completely different") == []


def test_every_code_with_a_sentence_for_comments_is_explained() -> None:
    assert sorted(set(FAILURES) - set(TABLE)) == []


def test_a_code_is_explained_in_one_place() -> None:
    assert len(TABLE) == len(form.WHY) + sum(len(subject.ROWS) for subject in SUBJECTS)


def test_every_subject_has_its_pages() -> None:
    assert {f"codes/{item.subject}" for item in TABLE.values()} | {f"codes/ja/{item.subject}" for item in TABLE.values()} == set(CODE_PAGES)


def test_an_explanation_says_more_than_to_edit_the_issue() -> None:
    bare = ("Edit the issue and label it again.", "Issue を編集し、ラベルを付け直してください。")
    assert [item.code for item in TABLE.values() if bare[0] == item.words["en"].act or bare[1] == item.words["ja"].act] == []


def test_traps_that_were_measured_show_their_figures() -> None:
    """The figures are those of BARS.tsv; they are facts about public data sets and not about this machine."""
    assert all(figure in TABLE["W-DATA-001"].words["en"].why for figure in ("937", "0.378", "0.495"))
    assert "1.0000" in TABLE["W-DATA-006"].words["en"].why
