"""The data quality report: what the data job read, what the gate asked, and what every column holds.

    page = render_quality(profile, report, config=config, language="ja")

Drawn from counts alone; categories and classes of fewer than ten rows are counted and not shown, the ends of a column are its 1 % and
99 % quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from mlops_core.contracts.dataset import ColumnQuality, DataJobConfig, DataProfile, FileQuality, Finding
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.quality import Check, CheckName, PartName, QualityReport
from mlops_core.contracts.request import Language
from mlops_core.contracts.stops import GATE
from mlops_core.explain.table import find
from mlops_core.reporting.drawings import Rect, merged
from mlops_core.reporting.figures import day, figure, number
from mlops_core.reporting.messages.wording import warned
from mlops_core.reporting.pages import Found, Range, StateBlock, Words, html, known, named, share, warning, words
from mlops_core.reporting.relations import relations_of

MOST_CARDS = 120
MOST_MISSING = 30
MOST_SHIFTS = 12
SHIFTED = 0.2
_MOST_NAMED = 8
_MOST_CATEGORIES = 6
_WIDTH, _HEIGHT = 240, 56
_QUANTILES = 7
_SEPARATORS = {"\t": "tab", ";": "; (semicolon)", ",": ", (comma)", "|": "| (bar)"}


@dataclass(frozen=True)
class CheckRow:
    """One question as a row of the table: per split its answer and tone, an empty answer where it was not asked."""

    asked: str
    columns: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One column: bars of its distribution or its greatest categories, its figures as pairs of words, and what was odd about it."""

    name: str
    kind: str
    off: str
    alt: str
    bars: tuple[Rect, ...]
    ends: tuple[str, str] | None
    categories: tuple[tuple[str, str], ...]
    rest: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def found_of(findings: Sequence[Finding], language: Language) -> tuple[Found, ...]:
    """Every finding with its sentence and what the explanation of its code says to do."""
    made = []
    for finding in findings:
        sentence = warned(language, finding)
        explanation = find(sentence.code)
        made.append(warning(sentence.code, sentence.text, explanation.words[language].act if explanation else ""))
    return tuple(made)


def render_quality(profile: DataProfile, report: QualityReport, *, config: DataJobConfig, language: Language) -> str:
    """The whole page."""
    t = words(language)
    dropped = {item.name: item.dropped for item in profile.columns}
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
        shifts=_shifts(report, t),
        missing=_missing(profile.all_columns, t),
        classes=_classes(profile, t),
        relations=relations_of(profile, config, t),
        cards=[card(item, dropped.get(item.name, ""), t) for item in profile.all_columns[:MOST_CARDS]],
        more=max(0, len(profile.all_columns) - MOST_CARDS),
        file=_repairs(profile.file, t),
        recipe=_recipe(config),
        division=_division(config, t),
    )


def _recipe(config: DataJobConfig) -> list[tuple[str, str]]:
    """The settings that are not the preparation's own defaults, and the seed; nothing of the machine."""
    told = config.model_dump(mode="json", exclude_defaults=True) | {"seed": config.seed, "split": config.split}
    return [(name, _plain(value)) for name, value in sorted(told.items()) if name not in _OF_THE_MACHINE]


_OF_THE_MACHINE = frozenset({"memory_limit_mb", "threads", "suite", "image"})


def _plain(value: object) -> str:
    """A setting as the form takes it: lists by commas, true and false."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_plain(item) for item in value.values() if item)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _division(config: DataJobConfig, t: Words) -> str:
    """How the rows were divided, in words."""
    by = named(config.time_column or config.group_column or "", 40)
    key = _WAYS[config.split if config.split != "time" or config.time_column else "order"]
    parts = [t(key, by=by), t("quality.split_gap", gap=config.split_gap) if config.split == "time" and config.split_gap else ""]
    return " ".join(part for part in (*parts, t("quality.split_given") if config.has_test_file else "") if part)


_WAYS = {
    "random": "quality.split_random",
    "stratified": "quality.split_stratified",
    "group": "quality.split_group",
    "time": "quality.split_time",
    "order": "quality.split_order",
}


def _state(profile: DataProfile, language: Language, t: Words) -> StateBlock:
    count = len(profile.findings)
    if any(item.code == GATE for item in profile.findings):
        found = found_of(sorted(profile.findings, key=lambda item: item.code != GATE), language)
        return StateBlock("bad", t("quality.stopped"), (t("quality.gate_stopped"),), found, t("section.next"), t("quality.act_stopped"))
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
    rows = profile.rows
    used = [item for item in profile.columns if not item.dropped]
    cells = sum(item.rows for item in profile.all_columns)
    missing = sum(item.missing for item in profile.all_columns)
    splits = [(t(f"report.split_{part}"), f"{count:,}", share(count / max(1, sum(rows.values())))) for part, count in rows.items()]
    return [
        (t("quality.rows_read"), f"{profile.rows_read:,}", t("quality.rows_left_out", count=f"{profile.dropped_rows:,}")),
        *splits,
        (t("quality.columns"), f"{len(used):,}", t("quality.columns_left_out", count=f"{len(profile.columns) - len(used):,}")),
        (t("report.features"), f"{profile.feature_count:,}", t("quality.after_encoding")),
        (t("report.duplicates"), f"{profile.duplicate_rows:,}", share(profile.duplicate_rows / max(1, profile.rows_read))),
        (t("quality.missing_cells"), share(missing / max(1, cells)), t("quality.of_cells", count=f"{cells:,}")),
    ]


def _check_rows(report: QualityReport, parts: Sequence[PartName], t: Words) -> list[CheckRow]:
    """Every question once, its answers by split."""
    asked: dict[CheckName, int] = {}
    for check in report.checks:
        asked[check.name] = max(asked.get(check.name, 0), check.columns)
    answered = {(check.name, check.part): check for check in report.checks}
    return [
        CheckRow(
            t(f"check.{name}"),
            t("quality.of_columns", count=f"{columns:,}"),
            tuple(_answer(answered.get((name, part)), t) for part in parts),
        )
        for name, columns in asked.items()
    ]


def _answer(check: Check | None, t: Words) -> tuple[str, str]:
    if check is None:
        return "", ""
    if not check.missed:
        return t("rule.passed"), "good"
    listed = [
        t("quality.miss", column=named(miss.column, 40), share=share(miss.share), expected=share(miss.expected))
        for miss in check.missed[:_MOST_NAMED]
    ]
    more = len(check.missed) - len(listed)
    return ", ".join(listed) + (f" … +{more}" if more else ""), "bad" if check.stops else "warn"


def _missing(columns: Sequence[ColumnQuality], t: Words) -> list[Range]:
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


def _shifts(report: QualityReport, t: Words) -> list[Range]:
    """The columns that moved most, on a scale that ends at 0.5 or the greatest; the line marks 0.2."""
    shown = report.shifts[:MOST_SHIFTS]
    top = max([0.5, *(item.psi for item in shown)])
    return [
        Range(
            name=named(item.column),
            alt=t("quality.shift_alt", column=named(item.column), part=t(f"part.{item.part}"), psi=figure(item.psi)),
            value=figure(item.psi),
            told=t("quality.shift_told", part=t(f"part.{item.part}"), rows=f"{item.rows:,}"),
            bar=max(0.4, 100 * item.psi / top),
            hot=item.psi > SHIFTED,
            mark=100 * SHIFTED / top,
        )
        for item in shown
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


def card(item: ColumnQuality, dropped: str, t: Words) -> Card:
    """A column's distribution and figures over all rows; ``dropped`` is why the model does not get it."""
    categories, rest = _categories(item, t)
    bars = _bars(item)
    value = _value(item)
    facts = [(t("quality.missing"), share(item.missing / item.rows) if item.rows else "–")]
    if item.distinct:
        facts.append((t("quality.distinct"), f"{item.distinct:,}"))
    if len(item.quantiles) == _QUANTILES:
        facts.append((t("quality.median"), value(item.quantiles[3])))
        facts.append((t("quality.middle"), f"{value(item.quantiles[2])} – {value(item.quantiles[4])}"))
    return Card(
        name=named(item.name),
        kind=t(f"kind.{item.type}"),
        off=known(t, f"dropped.{dropped.replace(' ', '_')}", dropped) if dropped else "",
        alt=t("quality.bars_alt", column=named(item.name)),
        bars=bars,
        ends=(value(item.quantiles[0]), value(item.quantiles[-1])) if bars else None,
        categories=categories,
        rest=rest,
        facts=tuple(facts),
        notes=tuple(_notes(item, t)),
    )


def _value(item: ColumnQuality) -> Callable[[float], str]:
    """How a value of the column is written: a date, a whole number or a figure."""
    if item.type == "datetime":
        return day
    return number


def _notes(item: ColumnQuality, t: Words) -> list[str]:
    """What the reader of the file had to do with the column's values."""
    codes = ", ".join(number(code) for code, _ in item.codes)
    notes = [
        t("quality.misfits", count=f"{item.misfits:,}") if item.misfits else "",
        t("quality.notation", style=t(f"notation.{item.notation}")) if item.notation != "plain" else "",
        t("quality.currency", count=f"{item.currency:,}") if item.currency else "",
        t("quality.far", count=f"{item.far:,}") if item.far else "",
        t("quality.codes", codes=codes, count=f"{sum(count for _, count in item.codes):,}") if codes else "",
        t("quality.spellings", count=f"{item.spellings:,}") if item.spellings else "",
    ]
    return [note for note in notes if note]


def _categories(item: ColumnQuality, t: Words) -> tuple[tuple[tuple[str, str], ...], str]:
    filled = max(1, item.rows - item.missing)
    shown = [(value, count) for value, count in item.categories if count >= SMALLEST_GROUP][:_MOST_CATEGORIES]
    left = item.distinct - len(shown)
    covered = sum(count for _, count in shown) / filled
    rest = t("quality.more_categories", count=f"{left:,}", share=share(max(0.0, 1 - covered))) if item.categories and left > 0 else ""
    return tuple((named(value, 40), share(count / filled)) for value, count in shown), rest


def _bars(item: ColumnQuality) -> tuple[Rect, ...]:
    """Bins between the 1 % and the 99 % quantile, joined until each holds ten rows; the area is the share of the rows."""
    if len(item.quantiles) != _QUANTILES or len(item.edges) != len(item.counts) + 1 or item.edges[-1] <= item.edges[0]:
        return ()
    bins = merged(item.edges, item.counts, least=SMALLEST_GROUP)
    low, scale = item.edges[0], _WIDTH / (item.edges[-1] - item.edges[0])
    tops = [rows / (after - before) for before, after, rows in bins]
    return tuple(
        Rect(
            x=round((before - low) * scale, 1),
            y=round(_HEIGHT * (1 - top / max(tops)), 1),
            width=round(max(0.5, (after - before) * scale - 1), 1),
            height=round(_HEIGHT * top / max(tops), 1),
            title=f"{rows:,}",
        )
        for top, (before, after, rows) in zip(tops, bins, strict=True)
    )


def _repairs(file: FileQuality, t: Words) -> list[tuple[str, str]]:
    """How the file was written, and what was repaired in it."""
    counted = {"nul": file.nul, "comments": file.comments, "headers": file.headers, "totals": file.totals, "ragged": file.ragged}
    told = [(t("file.kind"), f"{file.kind}, {file.bytes:,} B")]
    if file.kind == "csv":
        told.append(
            (t("file.written"), t("file.written_as", encoding=file.encoding, separator=_SEPARATORS.get(file.separator, file.separator)))
        )
    told += [(t(f"file.{name}"), f"{count:,}") for name, count in counted.items() if count]
    return told
