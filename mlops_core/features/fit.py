"""Fit a FeatureSpec on training rows.

    spec = fit(connection, "train", columns, Choices.of(config, labels))

Fill values, categories and scaling come from the table given, which holds training rows only.  Categories: the most frequent first, names
in order among equals, at most ``one_hot_limit``; text beyond gives all zeros, as unseen text does.  ``missing_values: drop`` leaves
rows out of training; what is served later is filled with the median and the mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_core.contracts.dataset import CategoricalColumn, ColumnProfile, DataJobConfig, FeatureSpec, NumericColumn
from mlops_core.contracts.request import MissingValues
from mlops_core.features.profile import mode, moments
from mlops_core.features.sql import double
from mlops_core.features.typing import identifier


def fit(connection: Any, table: str, profiles: Sequence[ColumnProfile], *, config: DataJobConfig, labels: tuple[str, ...]) -> FeatureSpec:
    """The specification over the columns that are not dropped; numeric ones keep their order, then text in its order."""
    kept = [profile for profile in profiles if not profile.dropped]
    numbers = [profile for profile in kept if profile.type != "string"]
    fills = [_fill(connection, table, profile, rule=config.missing_values) for profile in numbers]
    scales = _scales(connection, table, numbers, fills=fills) if config.scaling == "standard" else [(0.0, 1.0)] * len(numbers)
    numeric = tuple(
        NumericColumn(name=item.name, type="int64" if item.type == "int64" else "float64", fill=fill, mean=mean, scale=scale)
        for item, fill, (mean, scale) in zip(numbers, fills, scales, strict=True)
    )
    categorical = tuple(
        CategoricalColumn(name=item.name, fill=item.categories[0][0], categories=tuple(value for value, _ in item.categories))
        for item in kept
        if item.type == "string"
    )
    return FeatureSpec(
        task=config.task, target=config.target, numeric=numeric, categorical=categorical, labels=labels,
        missing_values=config.missing_values, scaling=config.scaling,
    )  # fmt: skip


def with_moments(connection: Any, table: str, profiles: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The profiles with mean and deviation of the numeric columns filled in."""
    names = [profile.name for profile in profiles if profile.type != "string" and profile.distinct]
    found = dict(zip(names, moments(connection, table, [identifier(name) for name in names]), strict=True))
    return [
        profile.model_copy(update={"mean": found[profile.name][0], "deviation": found[profile.name][1]})
        if profile.name in found
        else profile
        for profile in profiles
    ]


def _fill(connection: Any, table: str, profile: ColumnProfile, *, rule: MissingValues) -> float:
    if rule == "mean" and profile.mean is not None:
        return profile.mean
    if rule == "mode":
        return mode(connection, table, profile.name)
    return profile.quantiles[3]


def _scales(connection: Any, table: str, numbers: Sequence[ColumnProfile], *, fills: Sequence[float]) -> list[tuple[float, float]]:
    filled = [f"coalesce({identifier(item.name)}, {double(fill)})" for item, fill in zip(numbers, fills, strict=True)]
    return [(mean, deviation if deviation > 0 else 1.0) for mean, deviation in moments(connection, table, filled)]
