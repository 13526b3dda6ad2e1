"""The feature documentation: every feature with its source columns, the steps between and the values that training rows fitted.

    page = render_features(docs, spec, profile=profile, config=config, language="en")

Features of the same source and steps are one card; categories of fewer than ten training rows are counted and not named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlops_core.contracts.dataset import DataJobConfig, DataProfile, FeatureDoc, FeatureDocs, FeatureSpec, FeatureStep
from mlops_core.contracts.request import Language
from mlops_core.reporting.figures import number
from mlops_core.reporting.pages import SMALLEST_GROUP, StateBlock, Words, html, known, named, share, words

MOST_CARDS = 200
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
        left=[(named(item.name), ", ".join(named(name) for name in item.sources), _why(item, t)) for item in left],
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
    steps = [_step(step, first, t) for step in first.steps if step.kind != "one_hot"]
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
    source = hot[0][0].sources[0]
    column = next((item for item in profile.columns if item.name == source), None)
    filled = column.rows - column.missing if column else 0
    shares = dict(column.categories) if column and len(hot[0][0].sources) == 1 else {}
    names, hidden = [], 0
    for item, step in hot:
        category = str(step.values.get("category", ""))
        if step.values.get("rare"):
            names.append(t("features.rare"))
        elif shares and shares.get(category, 0.0) * filled < SMALLEST_GROUP - 0.5:
            hidden += 1
        else:
            names.append(named(category or item.name, 40))
    card.steps.append(t("step.one_hot", count=f"{len(hot):,}"))
    card.names = names[:_MOST_CATEGORIES]
    beyond = len(names) - len(card.names)
    parts = [t("features.hidden", count=hidden) if hidden else "", t("features.more", count=beyond) if beyond else ""]
    card.more = " ".join(part for part in parts if part)


def _step(step: FeatureStep, item: FeatureDoc, t: Words) -> str:
    """A step in words with its fitted values."""
    values: dict[str, object] = {
        name: number(float(value)) if isinstance(value, (int, float)) and name != "categories" else named(value, 40)
        for name, value in step.values.items()
    }
    left, right = (*item.sources, "", "")[:2]
    known: dict[str, object] = {"left": named(left, 40), "right": named(right, 40), **dict.fromkeys(_BLANK, "–")}
    if step.kind == "scale":
        return t(f"step.scale_{step.values.get('rule', 'standard')}", **known | values)
    if step.kind == "date_part":
        return t("step.date_part", part=t(f"part.{step.values.get('part', 'year')}"))
    return t(f"step.{step.kind}", **known | values)


_BLANK = ("value", "low", "high", "center", "width", "categories", "smoothing", "prior", "label")


def _why(item: FeatureDoc, t: Words) -> str:
    values = {name: number(float(value)) if isinstance(value, (int, float)) else named(value, 40) for name, value in item.reason.items()}
    listed = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{t(f'features.left_{item.left_out}')} ({listed})" if listed else t(f"features.left_{item.left_out}")
