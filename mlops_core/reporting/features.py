"""The feature documentation: every feature with its source columns, the steps between and the values that training rows fitted.

    page = render_features(docs, spec, profile=profile, config=config, language="en")

Features of the same source and steps are one card; categories of fewer than ten training rows are counted and not named, nor are pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_core.contracts.dataset import DataJobConfig, DataProfile, FeatureDoc, FeatureDocs, FeatureSpec, FeatureStep
from mlops_core.contracts.findings import SMALLEST_GROUP
from mlops_core.contracts.request import Language
from mlops_core.reporting.figures import day, number
from mlops_core.reporting.pages import StateBlock, Words, html, known, named, share, words

MOST_CARDS = 200
DAY = 86_400
_MOST_CATEGORIES = 40


@dataclass
class FeatureCard:
    """One source with what becomes of it."""

    title: str
    kind: str
    columns: str
    steps: list[str]
    filled: str = ""
    names: list[str] = field(default_factory=list)
    more: str = ""


def render_features(docs: FeatureDocs, spec: FeatureSpec, *, profile: DataProfile, config: DataJobConfig, language: Language) -> str:
    """The whole page."""
    t = words(language)
    kept = [item for item in docs.features if not item.left_out]
    left = [item for item in docs.features if item.left_out]
    cards = _cards(kept, profile, t)
    sources = {name for item in kept for name in item.sources}
    return html(
        "features.html.j2",
        language,
        profile=profile,
        config=config,
        spec=spec,
        docs=docs,
        state=StateBlock(
            tone="plain",
            headline=t("features.headline", count=f"{len(kept):,}", columns=f"{len(sources):,}"),
            lines=(t("features.fitted", rows=f"{docs.rows:,}"),),
            act_title=t("section.next"),
            act=t("features.act"),
        ),
        cards=cards[:MOST_CARDS],
        more=max(0, len(cards) - MOST_CARDS),
        left=_left_rows(left, docs.features, profile, t),
        dropped=[
            (named(item.name), known(t, f"dropped.{item.dropped.replace(' ', '_')}", item.dropped))
            for item in profile.columns
            if item.dropped
        ],
    )


def _cards(features: Iterable[FeatureDoc], profile: DataProfile, t: Words) -> list[FeatureCard]:
    kinds = {item.name: item.type for item in profile.columns}
    grouped: dict[tuple[object, ...], list[FeatureDoc]] = {}
    for item in features:
        grouped.setdefault((item.sources, _shape(item)), []).append(item)
    return [_card(items, kinds, profile, t) for items in grouped.values()]


def _shape(item: FeatureDoc) -> tuple[str, ...]:
    """What features of one card share: their kinds of steps, and the part of a date."""
    return tuple(f"{step.kind}:{step.values.get('part', '')}" for step in item.steps)


def _card(items: list[FeatureDoc], kinds: Mapping[str, str], profile: DataProfile, t: Words) -> FeatureCard:
    first = items[0]
    title = " × ".join(named(name, 50) for name in first.sources)
    places = [item.column for item in items if item.column]
    columns = places[0] if len(places) == 1 else f"{places[0]} … {places[-1]}" if places else ""
    kind = kinds.get(first.sources[0], "") if len(first.sources) == 1 else ""
    steps = [
        t("step.fill_unnamed") if _fills_few(step, first, profile) else _step(step, first, kind, t)
        for step in first.steps
        if step.kind != "one_hot"
    ]
    filled = t("features.filled", share=share(first.filled_share)) if first.filled_share else ""
    card = FeatureCard(title, t(f"kind.{kind}") if kind else t("features.made"), columns, steps, filled=filled)
    hot = [(item, step) for item in items for step in item.steps if step.kind == "one_hot"]
    if hot:
        _list_categories(card, hot, profile, t)
    elif len(items) > 1:
        card.names = [named(item.name) for item in items[:_MOST_CATEGORIES]]
    return card


def _list_categories(card: FeatureCard, hot: list[tuple[FeatureDoc, FeatureStep]], profile: DataProfile, t: Words) -> None:
    """One feature per category: those with at least ten training rows are named."""
    names, hidden = [], 0
    for item, step in hot:
        if step.values.get("rare"):
            names.append(t("features.rare"))
        elif _is_few(item, profile):
            hidden += 1
        else:
            names.append(named(str(step.values.get("category", "")) or item.name, 40))
    card.steps.append(t("step.one_hot", count=f"{len(hot):,}"))
    card.names = names[:_MOST_CATEGORIES]
    beyond = len(names) - len(card.names)
    pair = len(hot[0][0].sources) > 1
    parts = [
        t("features.pairs" if pair else "features.hidden", count=hidden) if hidden else "",
        t("features.more", count=beyond) if beyond else "",
    ]
    card.more = " ".join(part for part in parts if part)


def _is_few(item: FeatureDoc, profile: DataProfile) -> bool:
    """Whether a feature stands for a category of fewer than ten training rows, or for a pair: their rows are not counted."""
    step = next((step for step in item.steps if step.kind == "one_hot" and not step.values.get("rare")), None)
    if step is None:
        return False
    if len(item.sources) > 1:
        return True
    counts = _counts(item.sources[0], profile)
    return bool(counts) and counts.get(str(step.values.get("category", "")), 0.0) < SMALLEST_GROUP - 0.5


def _counts(source: str, profile: DataProfile) -> dict[str, float]:
    """Training rows by category of a column, as far as the profile lists them."""
    column = next((item for item in profile.columns if item.name == source), None)
    return {category: part * (column.rows - column.missing) for category, part in column.categories} if column else {}


def _fills_few(step: FeatureStep, item: FeatureDoc, profile: DataProfile) -> bool:
    """Whether the fill is a category of fewer than ten training rows."""
    value = step.values.get("value")
    return (
        step.kind == "fill"
        and isinstance(value, str)
        and _counts(item.sources[0], profile).get(value, SMALLEST_GROUP) < SMALLEST_GROUP - 0.5
    )


def _step(step: FeatureStep, item: FeatureDoc, kind: str, t: Words) -> str:
    """A step in words with its fitted values."""
    values: dict[str, object] = {name: _fitted(name, value, item, kind) for name, value in step.values.items()}
    left, right = (*item.sources, "", "")[:2]
    known: dict[str, object] = {"left": named(left, 40), "right": named(right, 40), **dict.fromkeys(_BLANK, "–")}
    if step.kind == "scale":
        return t(f"step.scale_{step.values.get('rule', 'standard')}", **known | values)
    if step.kind == "date_part":
        return t("step.date_part", part=t(f"part.{step.values.get('part', 'year')}"))
    return t(f"step.{step.kind}", **known | values)


def _fitted(name: str, value: str | float, item: FeatureDoc, kind: str) -> str:
    """A fitted value: moments as dates and days, years without separators."""
    if isinstance(value, str) or name == "categories":
        return named(value, 40)
    parts = [step.values.get("part") for step in item.steps if step.kind == "date_part"]
    if parts:
        return f"{value:.0f}" if parts[0] == "year" and name == "value" else number(float(value))
    if kind == "datetime":
        return f"{number(value / DAY)} d" if name == "width" else day(value)
    return number(float(value))


def _left_rows(left: Sequence[FeatureDoc], features: Iterable[FeatureDoc], profile: DataProfile, t: Words) -> list[tuple[str, str, str]]:
    """Feature, its sources and why it was left out; categories that are not named are one row a column."""
    shown = {item.name: named(", ".join(item.sources)) if _is_few(item, profile) else named(item.name) for item in features}
    rows = [(shown[item.name], _sources(item), _why(item, shown, t)) for item in left if not _is_few(item, profile)]
    hidden = Counter((_sources(item), t(f"features.left_{item.left_out}")) for item in left if _is_few(item, profile))
    return rows + [(t("features.unnamed", count=count), sources, why) for (sources, why), count in hidden.items()]


def _sources(item: FeatureDoc) -> str:
    return ", ".join(named(name) for name in item.sources)


def _why(item: FeatureDoc, shown: Mapping[str, str], t: Words) -> str:
    """The reason with its figure: the other feature and r, or the share of the gain."""
    other, r, gain = (item.reason.get(name) for name in ("with", "r", "gain_share"))
    if other is not None and r is not None:
        return t("features.why_correlation", other=shown.get(str(other), named(other)), r=number(float(r)))
    return t("features.why_importance", part=share(float(gain))) if gain is not None else t(f"features.left_{item.left_out}")


_BLANK = ("value", "low", "high", "center", "width", "categories", "smoothing", "prior", "label")
