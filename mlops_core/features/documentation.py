"""The feature specification for people: every feature with its sources, its steps and their fitted values.

    documentation(spec, profiles, shares={"debt / income": 0.02})     # [FeatureDoc, …] in the order of the vector

Figures are of the training rows.  ``shares`` says how often a derived number or a crossed text was missing, by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_core.contracts.dataset import (
    CategoricalColumn,
    ColumnProfile,
    CrossedColumn,
    DerivedColumn,
    FeatureDoc,
    FeatureSpec,
    FeatureStep,
    NumericColumn,
)
from mlops_core.features import calendar
from mlops_core.features.categories import SMOOTHING
from mlops_core.features.sql import PAIR, derived_name, feature_names, places


def documentation(spec: FeatureSpec, profiles: Sequence[ColumnProfile], *, shares: Mapping[str, float]) -> list[FeatureDoc]:
    """One entry per feature of the vector; a column without a profile counts as never missing."""
    missing = {item.name: item.missing / item.rows for item in profiles if item.rows} | dict(shares)
    numbers: list[NumericColumn | DerivedColumn] = [*spec.numeric, *spec.derived]
    whole = [_number_doc(item, spec, missing) for item in numbers]
    for column in (*spec.categorical, *spec.crossed):
        whole.extend(_text_docs(column, spec, missing))
    names = feature_names(spec)
    return [
        whole[place].model_copy(update={"name": name, "column": f"f{index}"})
        for index, (place, name) in enumerate(zip(places(spec), names, strict=True))
    ]


def _number_doc(item: NumericColumn | DerivedColumn, spec: FeatureSpec, missing: Mapping[str, float]) -> FeatureDoc:
    steps: list[dict[str, object]] = []
    if isinstance(item, DerivedColumn):
        name, sources = derived_name(item), tuple(source for source in (item.left, item.right) if source)
        steps.append({"kind": "date_part", "values": {"part": item.kind}} if item.kind in calendar.PARTS else {"kind": item.kind})
    else:
        name, sources = item.name, (item.name,)
    fences = {word: fence for word, fence in (("low", item.low), ("high", item.high)) if fence is not None}
    if fences:
        steps.append({"kind": "clip", "values": fences})
    if item.fill is not None:
        steps.append({"kind": "fill", "values": {"value": item.fill}})
    if spec.scaling != "none":
        steps.append({"kind": "scale", "values": {"rule": spec.scaling, "center": item.mean, "width": item.scale}})
    made = tuple(FeatureStep.model_validate(step) for step in steps)
    return FeatureDoc(name=name, sources=sources, steps=made, filled_share=missing.get(name, 0.0))


def _text_docs(column: CategoricalColumn, spec: FeatureSpec, missing: Mapping[str, float]) -> list[FeatureDoc]:
    first: list[FeatureStep] = []
    sources: tuple[str, ...] = (column.name,)
    if isinstance(column, CrossedColumn):
        sources = (column.left, column.right)
        first.append(FeatureStep(kind="cross"))
    else:
        first.append(FeatureStep(kind="fill", values={"value": column.fill}))
    share = missing.get(column.name, 0.0)
    return [
        FeatureDoc(name="", sources=sources, steps=(*first, FeatureStep.model_validate(step)), filled_share=share)
        for step in _encoding_steps(column, spec)
    ]


def _encoding_steps(column: CategoricalColumn, spec: FeatureSpec) -> list[dict[str, object]]:
    if column.encoding == "one_hot":
        shown = [category.replace(PAIR, " & ") for category in column.categories]
        codes: list[dict[str, object]] = [{"kind": "one_hot", "values": {"category": category}} for category in shown]
        return [*codes, {"kind": "one_hot", "values": {"rare": 1}}] if column.rare else codes
    count = len(column.categories)
    if column.encoding == "label":
        return [{"kind": "label", "values": {"categories": count}}]
    labels = {"regression": (spec.target,), "binary": spec.labels[1:]}.get(spec.task, spec.labels)
    return [
        {"kind": "target", "values": {"categories": count, "smoothing": SMOOTHING, "prior": prior, "label": label}}
        for prior, label in zip(column.prior, labels, strict=True)
    ]
