"""A table of answers of several classes, of decisions or of numbers, whoever made them: the evaluation job's figures, overall and by group.

    asked = Answers("species", scores={"Adelie": "p_adelie", "Gentoo": "p_gentoo"}, by=("island",))
    found = evaluate_answers(path, asked, resampling=Resampling(42, 1000))
    found.figures["f1"].interval, found.by["island"]["Dream"].figures["accuracy"].interval, found.slices.found[0]

The Parquet file is read column by column.  Whole tables go through `look`, groups and slices through `subsets.Rows`: what a run of ours
shows for its own splits.  Tables of two classes with a score have a path of their own without a copy of the scores (`scored`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlops_core.contracts.findings import SMALLEST_GROUP, GroupAudit, MeasureName, Slices
from mlops_core.contracts.request import Task
from mlops_core.errors import InvalidRequest, JobFailed
from mlops_core.evaluation.classification import confusion
from mlops_core.evaluation.columns import group_column, numbers_of, slice_columns, words_of
from mlops_core.evaluation.groups import audited
from mlops_core.evaluation.intervals import Estimate
from mlops_core.evaluation.look import Look, Training, class_table, look
from mlops_core.evaluation.resampling import Resampling
from mlops_core.evaluation.slices import LossName, worst_slices
from mlops_core.evaluation.subsets import Rows, rows_of

Array = np.ndarray[Any, Any]
MOST_CLASSES = 200
_SUM_OFF = 0.01
"""By how much the probabilities of a row may miss 1 for each class: tables hold rounded ones."""


@dataclass(frozen=True)
class Answers:
    """Columns of the file: the ``target``, one kind of answer, and columns ``by`` whose values figures are broken down.

    ``scores`` maps each class to the column of its probability, ``decided`` holds the predicted class, ``value`` the predicted number.
    With ``positive`` a decision is one of two: that class, or not.
    """

    target: str
    scores: Mapping[str, str] = field(default_factory=dict)
    decided: str = ""
    value: str = ""
    positive: str | None = None
    by: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """What is measured."""
        if self.value:
            return "regression"
        return "binary" if self.positive is not None else "multiclass"


@dataclass(frozen=True)
class Group:
    """Figures of at least ten rows."""

    rows: int
    figures: dict[MeasureName, Estimate]


@dataclass(frozen=True)
class AnswerFigures:
    """The whole table, its groups by column and value, and what differs between them; ``seen`` is None for decisions."""

    task: Task
    rows: int
    figures: dict[MeasureName, Estimate]
    by: dict[str, dict[str, Group]]
    audits: tuple[GroupAudit, ...]
    slices: Slices
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    hidden_classes: int = 0
    seen: Look | None = None


def evaluate_answers(path: Path, asked: Answers, *, resampling: Resampling) -> AnswerFigures:
    """All figures of a Parquet file with text classes and numbers as float64.

    `JobFailed` (E-EVAL-001, -003 … -005) for no rows, answers that are no numbers or probabilities, and missing targets; `InvalidRequest`
    (E-EVAL-009) for classes that no column answers for, probabilities that do not add up, and columns of no classes.
    """
    if asked.decided:
        return _decisions(path, asked, resampling)
    labels, y, raw = _values(path, asked) if asked.value else _probabilities(path, asked)
    seen = look(asked.task, y, raw, training=Training(labels), resampling=resampling)
    rows = rows_of(asked.task, y, raw, classes=len(labels))
    loss: LossName = "absolute_error" if asked.value else "brier"
    parts = _Parts(rows, seen.predicted, seen.losses, loss, decisions=False)
    by, audits, slices = parts.broken_down(path, asked.by, resampling)
    return AnswerFigures(
        asked.task, seen.rows, seen.metrics, by, audits, slices, labels, seen.confusion, seen.per_class, seen.hidden_groups, seen
    )


def _decisions(path: Path, asked: Answers, resampling: Resampling) -> AnswerFigures:
    """Figures that need no probability: those of the confusion matrix."""
    labels, y, predicted = _classes(path, asked)
    cells = confusion(y, predicted, classes=len(labels))
    wrong = (y != predicted).astype(np.float64)
    parts = _Parts(Rows(asked.task, y, predicted, len(labels)), predicted, wrong, "error", decisions=True)
    by, audits, slices = parts.broken_down(path, asked.by, resampling)
    per_class, hidden = class_table(cells, [None] * len(labels), labels)
    counts = tuple(tuple(int(count) for count in row) for row in cells)
    return AnswerFigures(asked.task, len(y), resampling.of_cells(asked.task, cells), by, audits, slices, labels, counts, per_class, hidden)


@dataclass(frozen=True)
class _Parts:
    """The rows with their answers and losses, to be taken apart; the scores of decisions are the decisions."""

    rows: Rows
    predicted: Array
    losses: Array
    loss: LossName
    decisions: bool

    def broken_down(
        self, path: Path, names: tuple[str, ...], resampling: Resampling
    ) -> tuple[dict[str, dict[str, Group]], tuple[GroupAudit, ...], Slices]:
        """Figures of every value of every column, the audits of the columns, and the worst slices of them and their pairs."""
        by: dict[str, dict[str, Group]] = {}
        audits = []
        for name in names:
            coded = group_column(path, name)
            if coded is None:
                raise InvalidRequest(f"the table has no column {name[:80]!r}.", remedy="Name a column of the file.", code="E-EVAL-009")
            groups, codes = coded
            counts = np.bincount(codes, minlength=len(groups)).tolist()
            by[name] = {
                group: Group(rows, self.figures(codes == place, resampling))
                for place, (group, rows) in enumerate(zip(groups, counts, strict=True))
                if rows >= SMALLEST_GROUP
            }
            audits.append(audited(name, coded, self.rows, self.predicted))

        def figures(inside: Array) -> Any:
            return {name: estimate.interval for name, estimate in self.figures(inside, resampling).items()}

        slices = worst_slices(slice_columns(path, names), self.losses, loss=self.loss, figures=figures)
        return by, tuple(audits), slices

    def figures(self, inside: Array, resampling: Resampling) -> dict[MeasureName, Estimate]:
        """Every figure of some rows."""
        if not self.decisions:
            return self.rows.inside(inside).estimates(resampling)
        cells = confusion(self.rows.y[inside], self.predicted[inside], classes=self.rows.classes)
        return resampling.of_cells(self.rows.task, cells)


def _values(path: Path, asked: Answers) -> tuple[tuple[str, ...], Array, Array]:
    return (), numbers_of(path, asked.target), numbers_of(path, asked.value)


def _probabilities(path: Path, asked: Answers) -> tuple[tuple[str, ...], Array, Array]:
    """Labels in ascending order, every row's place among them, and the probabilities [rows, classes]."""
    labels = tuple(sorted(asked.scores))
    codes, words = words_of(path, asked.target)
    _targets_there(codes)
    unknown = sorted({words[code] for code in np.unique(codes).tolist()} - set(labels))
    if unknown:
        raise InvalidRequest(
            f"the target {asked.target!r} holds {unknown[0][:80]!r}, a class without a column of scores.",
            remedy=f"Name a column for every class; known are {', '.join(labels)[:200]}.",
            code="E-EVAL-009",
        )
    places = np.array([labels.index(word) if word in asked.scores else 0 for word in words])
    raw = np.empty((len(codes), len(labels)))
    for place, label in enumerate(labels):
        raw[:, place] = numbers_of(path, asked.scores[label])
    off = np.abs(raw.sum(axis=1) - 1)
    bad = int((off > _SUM_OFF * len(labels)).sum())
    if bad and np.isfinite(off).all():
        raise InvalidRequest(
            f"the scores of {bad:,} of {len(off):,} rows do not add up to 1.",
            remedy="Give the probability of every class; a column of decisions is --predicted-class.",
            code="E-EVAL-009",
        )
    return labels, places[codes].astype(np.float64), raw


def _classes(path: Path, asked: Answers) -> tuple[tuple[str, ...], Array, Array]:
    """Labels, targets and decisions as places among them."""
    (true, known), (given, said) = words_of(path, asked.target), words_of(path, asked.decided)
    _targets_there(true)
    if missing := int((given < 0).sum()):
        raise InvalidRequest(
            f"the predicted class is missing on {missing:,} of {len(given):,} rows.",
            remedy="Leave such rows out, or give them a class of their own.",
            code="E-EVAL-009",
        )
    here, there = ({words[code] for code in np.unique(codes).tolist()} for codes, words in ((true, known), (given, said)))
    if not here & there:
        raise InvalidRequest(
            f"no class of {asked.decided!r} ({min(there)[:40]!r} …) is one of {asked.target!r} ({min(here)[:40]!r} …).",
            remedy="Write classes alike in both columns; numbers are measured by --predicted-value.",
            code="E-EVAL-009",
        )
    labels = (f"not {asked.positive}", asked.positive) if asked.positive is not None else tuple(sorted(here | there))
    if len(labels) > MOST_CLASSES:
        raise InvalidRequest(
            f"there are {len(labels):,} classes; at most {MOST_CLASSES} are told apart.",
            remedy="Numbers are measured by --predicted-value.",
            code="E-EVAL-009",
        )
    places = {label: place for place, label in enumerate(labels)}
    # What is not the positive class of two is the other one; a word that no row has stands for nothing.
    y, predicted = (np.array([places.get(word, 0) for word in words])[codes] for codes, words in ((true, known), (given, said)))
    return labels, y, predicted


def _targets_there(codes: Array) -> None:
    if not len(codes):
        raise JobFailed("the split holds no rows, so nothing can be measured.", code="E-EVAL-001")
    if missing := int((codes < 0).sum()):
        raise JobFailed(f"the target is missing on {missing} of {len(codes)} rows.", code="E-EVAL-005")
