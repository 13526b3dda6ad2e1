"""The data quality report: what the data job read, what the gate asked, and what every column holds.

    page = render_quality(profile, report, config=config, language="ja")

Drawn from counts alone; categories and classes of fewer than ten rows are counted and not shown, the ends of a column are its 1 % and
99 % quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, DataProfile, Finding
from mlops_core.contracts.quality import Check, PartName, QualityReport
from mlops_core.contracts.request import Language
from mlops_core.explain.table import find
from mlops_core.reporting.drawings import Rect
from mlops_core.reporting.figures import figure, number
from mlops_core.reporting.messages.wording import warned
from mlops_core.reporting.pages import SMALLEST_GROUP, Found, Range, StateBlock, Words, html, known, named, share, words

MOST_CARDS = 120
MOST_MISSING = 30
_MOST_NAMED = 8
_MOST_CATEGORIES = 6
_WIDTH, _HEIGHT = 240, 56


@dataclass(frozen=True)
class CheckRow:
    """One question as a row of the table: per split its answer and tone, an empty answer where it was not asked."""

    asked: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One column: bars of its distribution or its greatest categories, and its figures as pairs of words."""

    name: str
    kind: str
    off: str
    alt: str
    bars: tuple[Rect, ...]
    ends: tuple[str, str] | None
    categories: tuple[tuple[str, str], ...]
    rest: str
    facts: tuple[tuple[str, str], ...]


def found_of(findings: Sequence[Finding], language: Language) -> tuple[Found, ...]:
    """Every finding with its sentence and what the explanation of its code says to do."""
    made = []
    for finding in findings:
        sentence = warned(language, finding)
        explanation = find(sentence.code)
        made.append(Found(sentence.code, sentence.text, explanation.words[language].act if explanation else ""))
    return tuple(made)


def render_quality(profile: DataProfile, report: QualityReport, *, config: DataJobConfig, language: Language) -> str:
    """The whole page."""
    t = words(language)
    shown = [item for item in profile.columns if item.dropped != "requested"]
    parts = [part for part in get_args(PartName) if profile.rows.get(part)]
    return html(
        "quality.html.j2",
        language,
        profile=profile,
        report=report,
        config=config,
        state=_state(profile, language, t),
        tiles=_tiles(profile, t),
        parts=[(part, profile.rows.get(part, 0)) for part in parts],
        checks=_check_rows(report, parts, t),
        missing=_missing(shown, t),
        classes=_classes(profile, t),
        cards=[card(item, t) for item in shown[:MOST_CARDS]],
        more=max(0, len(shown) - MOST_CARDS),
        recipe=_recipe(config),
    )


def _recipe(config: DataJobConfig) -> list[tuple[str, str]]:
    """The settings that are not the preparation's own defaults, and the seed; nothing of the machine."""
    told = config.model_dump(mode="json", exclude_defaults=True) | {"seed": config.seed, "split": config.split}
    return [(name, str(value)) for name, value in sorted(told.items()) if name not in {"memory_limit_mb", "threads", "suite"}]


def _state(profile: DataProfile, language: Language, t: Words) -> StateBlock:
    count = len(profile.findings)
    return StateBlock(
        tone="warn" if count else "good",
        headline=t("quality.warned", count=count) if count else t("quality.ready"),
        lines=(t("quality.gate"),),
        found=found_of(profile.findings, language),
        act_title=t("section.next"),
        act=t("quality.act_warned" if count else "quality.act_ready"),
    )


def _tiles(profile: DataProfile, t: Words) -> list[tuple[str, str, str]]:
    """Name, figure and a second line."""
    rows, train = profile.rows, profile.rows.get("train", 0)
    used = [item for item in profile.columns if not item.dropped]
    cells = sum(item.rows for item in used)
    missing = sum(item.missing for item in used)
    splits = [(t(f"report.split_{part}"), f"{count:,}", share(count / max(1, sum(rows.values())))) for part, count in rows.items()]
    return [
        (t("quality.rows_read"), f"{profile.rows_read:,}", t("quality.rows_left_out", count=f"{profile.dropped_rows:,}")),
        *splits,
        (t("quality.columns"), f"{len(used):,}", t("quality.columns_left_out", count=f"{len(profile.columns) - len(used):,}")),
        (t("report.features"), f"{profile.feature_count:,}", t("quality.after_encoding")),
        (t("report.duplicates"), f"{profile.duplicate_rows:,}", share(profile.duplicate_rows / max(1, profile.rows_read))),
        (t("quality.missing_cells"), share(missing / max(1, cells)), t("quality.of_training", rows=f"{train:,}")),
    ]


def _check_rows(report: QualityReport, parts: Sequence[PartName], t: Words) -> list[CheckRow]:
    """Every question once, its answers by split."""
    asked = dict.fromkeys(check.name for check in report.checks)
    known = {(check.name, check.part): check for check in report.checks}
    return [CheckRow(t(f"check.{name}"), tuple(_answer(known.get((name, part)), t) for part in parts)) for name in asked]


def _answer(check: Check | None, t: Words) -> tuple[str, str]:
    if check is None:
        return "", ""
    if not check.missed:
        return t("quality.passed", columns=f"{check.columns:,}"), "good"
    listed = [
        t("quality.miss", column=named(miss.column, 40), share=share(miss.share), expected=share(miss.expected))
        for miss in check.missed[:_MOST_NAMED]
    ]
    more = len(check.missed) - len(listed)
    return ", ".join(listed) + (f" … +{more}" if more else ""), "warn"


def _missing(columns: Sequence[ColumnProfile], t: Words) -> list[Range]:
    found = sorted((item for item in columns if item.missing), key=lambda item: -item.missing / item.rows)[:MOST_MISSING]
    return [
        Range(
            name=named(item.name),
            alt=t("quality.missing_alt", column=named(item.name), share=share(item.missing / item.rows)),
            value=share(item.missing / item.rows),
            told=t("report.rows_told", rows=f"{item.missing:,}"),
            bar=max(0.4, 100 * item.missing / item.rows),
            hot=item.missing * 2 >= item.rows,
        )
        for item in found
    ]


def _classes(profile: DataProfile, t: Words) -> list[Range]:
    train = profile.rows.get("train", 0)
    counts = {label: round(value * train) for label, value in profile.class_shares.items()}
    shown = sorted(((label, count) for label, count in counts.items() if count >= SMALLEST_GROUP), key=lambda item: -item[1])
    return [
        Range(
            name=named(label),
            alt=t("quality.class_alt", label=named(label), share=share(count / train)),
            value=share(count / train),
            told=t("report.rows_told", rows=f"{count:,}"),
            bar=max(0.4, 100 * count / train),
        )
        for label, count in shown[:MOST_MISSING]
    ]


def card(item: ColumnProfile, t: Words) -> Card:
    """A column's distribution and figures; nothing of a column that holds no value."""
    filled = item.rows - item.missing
    categories, rest = _categories(item, filled, t)
    bars = _bars(item)
    facts = [(t("quality.missing"), share(item.missing / item.rows) if item.rows else "–")]
    if item.distinct:
        facts.append((t("quality.distinct"), f"{item.distinct:,}"))
    if len(item.quantiles) == 7:
        facts.append((t("quality.median"), number(item.quantiles[3])))
        facts.append((t("quality.middle"), f"{number(item.quantiles[2])} – {number(item.quantiles[4])}"))
    if item.mean is not None and item.deviation is not None:
        facts.append((t("quality.mean"), f"{figure(item.mean)} ± {figure(item.deviation)}"))
    return Card(
        name=named(item.name),
        kind=t(f"kind.{item.type}"),
        off=known(t, f"dropped.{item.dropped.replace(' ', '_')}", item.dropped) if item.dropped else "",
        alt=t("quality.bars_alt", column=named(item.name)),
        bars=bars,
        ends=(number(item.quantiles[0]), number(item.quantiles[-1])) if bars else None,
        categories=categories,
        rest=rest,
        facts=tuple(facts),
    )


def _categories(item: ColumnProfile, filled: int, t: Words) -> tuple[tuple[tuple[str, str], ...], str]:
    shown = [(value, part) for value, part in item.categories if part * filled >= SMALLEST_GROUP - 0.5][:_MOST_CATEGORIES]
    left = item.distinct - len(shown)
    covered = sum(part for _, part in shown)
    rest = t("quality.more_categories", count=f"{left:,}", share=share(max(0.0, 1 - covered))) if item.categories and left > 0 else ""
    return tuple((named(value, 40), share(part)) for value, part in shown), rest


def _bars(item: ColumnProfile) -> tuple[Rect, ...]:
    """Bars between the 1 % and 99 % quantiles, cut at the decile edges: equal areas hold equal shares."""
    if len(item.quantiles) != 7 or not item.edges or item.quantiles[-1] <= item.quantiles[0]:
        return ()
    low, high = item.quantiles[0], item.quantiles[-1]
    inner = [edge for edge in item.edges if low < edge < high]
    shares = item.shares if len(inner) == len(item.edges) and len(item.shares) == len(inner) + 1 else ()
    edges = [low, *inner, high]
    parts = shares or [1 / (len(edges) - 1)] * (len(edges) - 1)
    heights = [part / (after - before) for part, (before, after) in zip(parts, pairwise(edges), strict=True)]
    top = max(heights)
    scale = _WIDTH / (high - low)
    return tuple(
        Rect(
            x=round((before - low) * scale, 1),
            y=round(_HEIGHT * (1 - height / top), 1),
            width=round(max(0.8, (after - before) * scale - 1), 1),
            height=round(_HEIGHT * height / top, 1),
        )
        for height, (before, after) in zip(heights, pairwise(edges), strict=True)
    )
