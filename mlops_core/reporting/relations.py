"""How the columns go with the target and with each other, drawn for the data quality report.

    drawn = relations_of(profile, config, t)      # None for a profile that was written before there were relations

Whole columns alone are spoken of; what fewer than ten rows say is not drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlops_core.contracts.dataset import DataJobConfig, DataProfile
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.relations import Association, AssociationMeasure, Relations
from mlops_core.reporting.drawings import HeatMap, Label, Rect
from mlops_core.reporting.pages import Range, Words, named

MOST_BARS = 15
MOST_TWINS = 8
NEARLY_ALL = 0.95
_SIGNS: Mapping[AssociationMeasure, str] = {"spearman": "ρ", "eta": "η", "cramers_v": "V"}
_NOTES: Mapping[AssociationMeasure, str] = {
    "spearman": "relations.note_spearman",
    "eta": "relations.note_eta",
    "cramers_v": "relations.note_cramers_v",
}
_WIDTH, _LEAST, _NAMES, _LARGEST, _LETTER = 360, 260, 130, 36.0, 7.0
_PLAIN = 30.0
"""The least width of a cell that has room for the nought before the point."""


@dataclass(frozen=True)
class Drawn:
    """Bars by strength, the map of the numeric columns, and the pairs that are nearly the same (``twins`` of them)."""

    bars: list[Range]
    note: str
    map: HeatMap | None
    map_note: str
    pairs: list[str]
    twins: int


def relations_of(profile: DataProfile, config: DataJobConfig, t: Words) -> Drawn | None:
    """What the quality report draws of a profile's relations."""
    found = profile.relations
    if found is None:
        return None
    told = [item for item in found.associations if item.rows >= SMALLEST_GROUP]
    return Drawn(
        bars=[_bar(item, found.rows, t) for item in told[:MOST_BARS]],
        note=_note(told, found, _positive(profile, config), t),
        map=heat_map(found.columns, found.correlations, t),
        map_note=t("relations.map_note", count=len(found.columns)),
        pairs=_pairs(found, t),
        twins=found.pair_count,
    )


def _pairs(found: Relations, t: Words) -> list[str]:
    """The strongest pairs in words, and how many more there are."""
    shown = found.pairs[:MOST_TWINS]
    told = [t("relations.pair", left=named(pair.left, 40), right=named(pair.right, 40), r=_two_places(pair.r)) for pair in shown]
    more = found.pair_count - len(shown)
    return [*told, t("relations.more_pairs", count=f"{more:,}")] if more > 0 else told


def _positive(profile: DataProfile, config: DataJobConfig) -> str:
    return config.positive_label or next(reversed(profile.class_shares), "")


def _bar(item: Association, rows: int, t: Words) -> Range:
    sign, value = _SIGNS[item.measure], _two_places(item.value)
    told = sign if item.auc is None else t("relations.with_area", sign=sign, area=_two_places(item.auc))
    if item.rows < rows:
        told = t("relations.with_rows", told=told, rows=f"{item.rows:,}")
    return Range(
        name=named(item.column),
        alt=t("relations.alt", column=named(item.column), sign=sign, value=value, rows=f"{item.rows:,}"),
        value=value,
        told=told,
        bar=max(0.4, 100 * abs(item.value)),
        hot=abs(item.value) > NEARLY_ALL,
    )


def _note(told: Sequence[Association], found: Relations, positive: str, t: Words) -> str:
    """The rows, what the signs mean that are there, and what to ask of a column that gives nearly everything."""
    whole = found.rows == found.of_rows
    key = "relations.all_rows" if whole else "relations.some_rows"
    shown = told[:MOST_BARS]
    sentences = [
        t(key, rows=f"{found.rows:,}", of=f"{found.of_rows:,}"),
        *(t(_NOTES[measure]) for measure in _SIGNS if any(item.measure == measure for item in shown)),
        t("relations.note_area", positive=named(positive, 30)) if any(item.auc is not None for item in shown) else "",
        t("relations.nearly_all") if any(abs(item.value) > NEARLY_ALL for item in shown) else "",
        t("quality.more_columns", count=f"{len(told) - len(shown):,}") if len(told) > len(shown) else "",
    ]
    return " ".join(filter(None, sentences)).replace("。 ", "。")


def heat_map(names: Sequence[str], half: Sequence[Sequence[float | None]], t: Words) -> HeatMap | None:
    """The lower half of a matrix as stairs of cells; None where no pair of columns has a figure."""
    known = [(abs(r), r, line, place) for line, values in enumerate(half) for place, r in enumerate(values) if r is not None]
    if not known:
        return None
    side = round(min(_LARGEST, (_WIDTH - _NAMES) / (len(names) - 1)), 1)
    _, r, line, place = max(known)
    alt = t("relations.map_alt", count=len(names), r=_two_places(r), left=named(names[place], 40), right=named(names[line], 40))
    cells, figures = [], []
    for line, values in enumerate(half):
        for place, value in enumerate(values):
            title = t("relations.pair", left=named(names[place], 40), right=named(names[line], 40), r=_told(value))
            x, y = round(place * side, 1), round(line * side, 1)
            kind = "shaded second" if (value or 0.0) < 0 else "shaded"
            cells.append(Rect(x, y, side - 1, side - 1, kind=kind, opacity=round(abs(value or 0.0), 3), title=title))
            figures.append(Label(round(x + side / 2 - 0.5, 1), round(y + side / 2 + 3, 1), _short(value, side)))
    stairs = [
        Label(
            round(place * side + 6, 1), round((place + 0.5) * side + 3.5, 1), _fitted(named(name), _WIDTH - place * side - 6), named(name)
        )
        for place, name in enumerate(names)
    ]
    width = max(name.x + _LETTER * _halves(name.text) for name in stairs)
    return HeatMap(alt, round(min(_WIDTH, max(_LEAST, width))), round(len(names) * side, 1), tuple(cells), tuple(figures), tuple(stairs))


def _told(value: float | None) -> str:
    return "–" if value is None else _two_places(value)


def _two_places(value: float) -> str:
    """``0.95``, ``-0.46``; what rounds to nothing has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"


def _short(value: float | None, side: float) -> str:
    """The figure of a cell; a narrow one leaves out noughts: ``.97``, ``-.40``, ``-1``."""
    text = _told(value)
    return text if side >= _PLAIN else text.replace("0.", ".").removesuffix(".00") or "0"


def _fitted(name: str, room: float) -> str:
    """As much of a name as there is room for."""
    if _LETTER * _halves(name) <= room:
        return name
    kept = 0
    while _LETTER * (_halves(name[: kept + 1]) + 1) <= room:
        kept += 1
    return name[:kept] + "…"


def _halves(text: str) -> int:
    """The width of a text in letters; characters of East Asia are twice as wide (Unicode, annex 11)."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
