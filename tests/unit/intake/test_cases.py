"""Golden cases: what the parser makes of whole issues, and the filled forms we hand out."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_core.intake.body import parse_body
from mlops_core.intake.render import render_body
from tests.cases.write import BUCKET, CASES, expected

FOLDERS = sorted(path.parent for path in CASES.glob("*/issue.md"))
EXAMPLES = sorted(path for path in (CASES.parents[1] / "examples" / "issues").glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_case_reads_as_it_is_written_down(folder: Path) -> None:
    name, text = expected(folder)
    assert (folder / name).read_text(encoding="utf-8") == text
    assert {path.name for path in folder.iterdir()} - {"comment.md"} == {"issue.md", name}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_filled_form_that_we_hand_out_is_accepted_and_is_what_the_form_makes(path: Path) -> None:
    body = path.read_text(encoding="utf-8")
    assert render_body(parse_body(body, bucket=BUCKET).request) == body
