"""English words of what `mlops run` and `mlops demo` print."""

from __future__ import annotations

TERMINAL: dict[str, str] = {
    "terminal.issue": "issue {address}",
    "terminal.form_issue": "issue opened through the form: {address}",
    "terminal.labelled": "labelled {label}; the caller's workflow starts",
    "terminal.task": "task {task} (read off the column {column!r}; --task says otherwise)",
    "terminal.run": "run {run}",
    "terminal.time": "time",
    "terminal.waiting": "waiting",
    "terminal.running": "running",
    "terminal.done": "done",
    "terminal.failed": "failed",
    "terminal.skipped": "skipped",
    "terminal.head_reason": "reason",
    "terminal.head_validation": "validation",
    "terminal.head_test": "test",
    "terminal.head_baseline": "baseline",
    "terminal.head_verdict": "verdict",
    "terminal.head_warning": "warning",
    "terminal.head_more": "more",
    "terminal.head_endpoint": "endpoint",
    "terminal.head_issue": "issue",
    "terminal.head_report": "report",
    "terminal.head_prediction": "prediction",
    "terminal.head_pages": "pages",
    "terminal.rows": "n = {rows:,}",
    "terminal.kept": "The platform is still running; stop it with `{command}`.",
}
