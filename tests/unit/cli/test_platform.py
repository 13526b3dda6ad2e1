"""What the commands read out of the platform's answers and files."""

from __future__ import annotations

import json
from pathlib import Path

from mlops_core.cli.local import log_files, queue
from mlops_core.cli.platform import readable

REFUSAL = """<!-- mlops:refusal:6 -->
### The training request was not started

Nothing was run. What to change:

- **E-PARSE-025** Metric: Allowed: roc\\_auc.
- **E-PARSE-001** Target: missing.

``````text
E-PARSE-025 metric: rmse
``````
"""


def test_a_refusal_is_told_problem_by_problem() -> None:
    said = readable(REFUSAL).split("\n  ")
    assert said == ["The training request was not started", "- E-PARSE-025 Metric: Allowed: roc_auc.", "- E-PARSE-001 Target: missing."]


def test_the_queue_of_jobs_is_read_and_a_missing_or_broken_file_is_an_empty_queue(tmp_path: Path) -> None:
    path = tmp_path / "queue.json"
    assert queue(path) == {"running": [], "waiting": []}
    path.write_text("{")
    assert queue(path) == {"running": [], "waiting": []}
    path.write_text(json.dumps({"running": ["a"], "waiting": ["b", "c"]}))
    assert queue(path) == {"running": ["a"], "waiting": ["b", "c"]}


def test_logs_of_both_servers_and_of_every_workflow_run_are_found(tmp_path: Path) -> None:
    for name in ("aws/logs/aws.log", "github/server.log", "github/runs/7/log.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("x\n")
    assert list(log_files(tmp_path)) == ["aws", "github", "run-7"]


def test_a_refusal_by_a_rule_tells_its_reason() -> None:
    comment = "<!-- mlops:refusal:4 -->\n### Not started\n\n**E-POLICY-COST** 900 USD asked for; .github/mlops.yml allows 20 \\<USD\\>.\n"
    told = "E-POLICY-COST 900 USD asked for; .github/mlops.yml allows 20 <USD>."
    assert readable(comment) == f"Not started\n  {told}"
