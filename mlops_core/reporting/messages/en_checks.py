"""English words of the leaks, traps and shifts that the data and evaluation jobs find."""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "word.sum": "sum",
    "word.product": "product or ratio",
    "finding.e_quality_001": "{check} No: {count:,} of {rows:,} rows of the {split}",
    "finding.w_leak_001": "alone gives the target ({metric} {score:.4f} on {rows:,} training rows): a copy in other words?",
    "finding.w_leak_002": "their {form} gives the target (R² {score:.6f} on {rows:,} training rows): parts of the answer are in the table",
    "finding.w_leak_003": (
        "{rows:,} {rows:row repeats|rows repeat} another one: split by row a probe reaches {metric} {apart:.3f}, with equal rows "
        "on one side {together:.3f}; "
        "equal rows were kept on one side"
    ),
    "finding.w_leak_004": (
        "rows drift in this order ({drifting}): split at random a probe reaches {metric} {random:.3f}, split in time {in_time:.3f} "
        "({rows:,} later rows); choose the split by time"
    ),
    "finding.w_leak_004_file": (
        "rows drift along the file ({drifting}): split at random a probe reaches {metric} {random:.3f}, split in the file's order "
        "{in_time:.3f} ({rows:,} later rows); if that order is time, choose the split by time"
    ),
    "finding.w_leak_005": "lies after {time} in {rows:,} of {of:,} rows: known when the model is asked?",
    "finding.w_leak_006": "{share:.1%} of the {split} repeat a training row in all but identifiers ({rows:,} of {of:,} rows seen)",
    "finding.w_shift_001": "distributed otherwise in the {split} than in training (PSI up to {psi:.2f}, more than 0.2)",
    "finding.w_shift_002": "the target is distributed otherwise in the {split} than in training (PSI {psi:.2f}, more than 0.2)",
    "finding.w_eval_001": "on the {split} all {rows:,} rows were answered with one class ({label}), {classes} were asked for",
    "finding.w_eval_002": "{metric} {score:.6f} on the {split} ({rows:,} rows) is too good to be true: look for a leak first",
    "finding.w_eval_003": "on the {split} all {rows:,} rows were answered with one number",
    "finding.w_eval_004": (
        "{columns} protected {columns:column was|columns were} not compared on the {split}: no such column or no two groups of ten rows"
    ),
}
