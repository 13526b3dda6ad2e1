"""One column that alone gives the target: a copy in other words, which will not be there when the model is asked.

    near_copies(train)      # [Finding W-LEAK-001 …]

Classes: each value of a column learns its most frequent class on half of the rows and answers for the other half; a number that was not
seen answers as the nearest one that was, a text as the most frequent class; missing is a value.  A near copy takes away 99 % of the errors
that always answering the most frequent class makes, of which there must be ten.  Numbers: the squared correlation, of values or of ranks,
or the variance that the means of the column's own values explain on the other half, is 0.999 or more.
"""

from __future__ import annotations

import numpy as np

from mlops_core.contracts.dataset import Finding
from mlops_core.features.checks.sample import Array, Rows, correlation, grouped, ranks, scaled

ERRORS_TAKEN = 0.99
EXPLAINED = 0.999
LEAST_ERRORS = 10
LEAST_ROWS = 20


def near_copies(train: Rows) -> list[Finding]:
    """W-LEAK-001 for each column that gives the target by itself."""
    scores = _of_numbers(train) if train.regression else _of_classes(train)
    metric = "r2" if train.regression else "accuracy"
    return [
        Finding(code="W-LEAK-001", columns=(name,), values={"metric": metric, "score": round(score, 6), "rows": len(train)})
        for name, score in scores.items()
    ]


def _of_classes(train: Rows) -> dict[str, float]:
    learns = train.first_half()
    classes, labels, _ = grouped(train.target)
    learnt = np.bincount(labels[learns], minlength=len(classes))
    asked = int((~learns).sum())
    wrong = int((labels[~learns] != learnt.argmax()).sum())
    if wrong < LEAST_ERRORS:
        return {}
    usual = int(learnt.argmax())
    found = {}
    for name, values in train.columns.items():
        cell = _cells(values)
        answers = _most_frequent(cell[learns], labels[learns], cells=int(cell.max()) + 1, classes=len(classes))
        unseen = answers < 0
        answers[unseen] = usual
        if name not in train.texts:
            _answer_as_nearest(answers, unseen, grouped(values[~np.isnan(values)])[0])
        right = int((answers[cell[~learns]] == labels[~learns]).sum())
        if asked - right <= (1 - ERRORS_TAKEN) * wrong:
            found[name] = right / asked
    return found


def _most_frequent(cell: Array, labels: Array, *, cells: int, classes: int) -> Array:
    """The most frequent class of each cell, the first of equally frequent ones; -1 where a cell holds no row."""
    pairs, _, counts = grouped(cell * classes + labels)
    order = np.lexsort((pairs, -counts))[::-1]
    answers = np.full(cells, -1)
    answers[pairs[order] // classes] = pairs[order] % classes
    return answers


def _answer_as_nearest(answers: Array, unseen: Array, distinct: Array) -> None:
    """Let a number that was never learnt answer as the nearest one that was; cell k + 1 holds ``distinct[k]``."""
    known = np.flatnonzero(~unseen[1:])
    if len(known):
        middles = distinct[known[1:]] / 2 + distinct[known[:-1]] / 2
        answers[1:] = answers[1:][known[np.searchsorted(middles, distinct)]]


def _cells(values: Array) -> Array:
    """The cell of each row as a number from 0: cell 0 is missing, equal values share a cell, in ascending order."""
    there = ~np.isnan(values)
    found = np.zeros(len(values), dtype=np.int64)
    found[there] = grouped(values[there])[1] + 1
    return found


def _of_numbers(train: Rows) -> dict[str, float]:
    learns, y = train.first_half(), scaled(train.target)
    if len(y) < LEAST_ROWS or not np.ptp(y) > 0:
        return {}
    places = ranks(y)
    found = {}
    for name, values in train.columns.items():
        score = _explained(_cells(values), y, learns)
        there = ~np.isnan(values)
        if name not in train.texts and 2 * int(there.sum()) >= len(y):
            own = places if there.all() else ranks(y[there])
            pairs = ((scaled(values[there]), y[there]), (ranks(values[there]), own))
            score = max(score, *((correlation(*pair) or 0.0) ** 2 for pair in pairs))
        if score >= EXPLAINED:
            found[name] = score
    return found


def _explained(cell: Array, y: Array, learns: Array) -> float:
    """R2 on the rows that do not learn, of the means that the others have in each cell; an unseen cell answers the mean of all."""
    size = int(cell.max()) + 1
    counts = np.bincount(cell[learns], minlength=size)
    sums = np.bincount(cell[learns], weights=y[learns], minlength=size)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), y[learns].mean() if learns.any() else 0.0)
    asked = y[~learns]
    spread = float(((asked - asked.mean()) ** 2).sum()) if len(asked) else 0.0
    return 1 - float(((asked - means[cell[~learns]]) ** 2).sum()) / spread if spread else 0.0
