"""Write what the parser makes of every case: ``PYTHONPATH=. python tests/cases/write.py``."""

from __future__ import annotations

import json
from pathlib import Path

from mlops_core.intake.body import parse_body
from mlops_core.intake.problems import RequestRefused

CASES = Path(__file__).parent
BUCKET = "my-bucket"


def expected(folder: Path) -> tuple[str, str]:
    """(file name, text) that a case must hold beside its issue."""
    body = (folder / "issue.md").read_bytes().decode()
    try:
        request = parse_body(body, bucket=BUCKET).request
    except RequestRefused as refused:
        return "refusal.md", refused.comment()
    return "request.json", json.dumps(request.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all."""
    for issue in sorted(CASES.glob("*/issue.md")):
        name, text = expected(issue.parent)
        (issue.parent / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
