"""Fit a FeatureSpec on training rows.

    fitted = fit(connection, "train", profiles, config=config, labels=labels, gains=gains)
    fitted.spec · fitted.training · fitted.findings · fitted.docs

Fill values, fences, categories, scaling and selection come from the table given, which holds training rows only.  ``missing_values: drop``
leaves rows out of training; what is served later is filled with the median and the mode.  ``constant`` fills numbers and ratios with
``missing_constant``, text with the category `missing`, dates and their parts with the median.  Scaling is of numbers and derived numbers
behind their fences and fills: ``standard`` mean and population deviation, ``minmax`` least value and range, ``robust`` median and
interquartile range; without spread the width is 1.  Date parts are made of dates, constant ones are left out.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mlops_core.contracts.dataset import ColumnProfile, DataJobConfig, DerivedColumn, FeatureDoc, FeatureSpec, Finding, NumericColumn
from mlops_core.errors import InvalidRequest
from mlops_core.features import calendar
from mlops_core.features.categories import Facts, Folded, fit_crosses, fit_texts, out_of_fold, with_targets
from mlops_core.features.documentation import documentation
from mlops_core.features.fences import beyond, fences, quantiles
from mlops_core.features.profile import mode, moments
from mlops_core.features.selection import Features, Gains, LeftOut, select
from mlops_core.features.sql import derived_name, derived_number, feature_names, filled, number_of, raw_number, target_sql, width
from mlops_core.features.typing import count_sql, identifier

Number = TypeVar("Number", NumericColumn, DerivedColumn)


@dataclass(frozen=True)
class Fitted:
    """The specification; the training features as (expression, name), in which no row has seen its own target; findings; documentation."""

    spec: FeatureSpec
    training: Sequence[tuple[str, str]]
    findings: tuple[Finding, ...]
    docs: tuple[FeatureDoc, ...]


def fit(
    connection: Any, table: str, profiles: Sequence[ColumnProfile], *, config: DataJobConfig, labels: tuple[str, ...], gains: Gains
) -> Fitted:
    """Fit on the columns that are not dropped: numbers in their order, derived numbers, text in its order, crosses.

    `InvalidRequest`: E-DATA-040 a derived feature of columns that are absent or of the wrong kind, E-DATA-041 too many features to compare.
    """
    _check_derived(profiles, config)
    rows = connection.execute(f"select count(*) from {table}").fetchone()[0]
    facts = Facts(connection, table, rows, config, len(labels))
    kept = [profile for profile in profiles if not profile.dropped]
    numbers, findings = _numbers(facts, [profile for profile in kept if profile.type != "string"])
    derived, constant = _derived(facts, numbers)
    texts, folded = fit_texts(facts, [profile for profile in kept if profile.type == "string"])
    crosses, folded_crosses = fit_crosses(facts, texts)
    spec = FeatureSpec(
        task=config.task, target=config.target, numeric=tuple(_scaled(facts, numbers)), derived=tuple(_scaled(facts, derived)),
        categorical=tuple(texts), crossed=tuple(crosses), labels=labels, missing_values=config.missing_values, scaling=config.scaling,
    )  # fmt: skip
    spec = spec.model_copy(
        update={"categorical": tuple(with_targets(facts, texts, spec)), "crossed": tuple(with_targets(facts, crosses, spec))}
    )
    spec, left, left_docs = _selected(facts, _versioned(spec), gains)
    findings += [*_rare_findings([*folded, *folded_crosses]), *left]
    docs = [*documentation(spec, profiles, shares=_missing_shares(facts, spec)), *left_docs]
    docs += [FeatureDoc(name=derived_name(item), sources=_sources(item), left_out="constant") for item in constant]
    return Fitted(spec, out_of_fold(facts, spec), tuple(findings), tuple(docs))


def outlier_findings(counts: Mapping[str, int], found: Mapping[str, tuple[float, float]], config: DataJobConfig) -> list[Finding]:
    """W-DATA-015 for each column with numbers beyond its fences."""
    return [
        Finding(
            code="W-DATA-015", columns=(name,),
            values={"rows": count, "low": found[name][0], "high": found[name][1], "rule": config.outlier_rule, "action": config.outliers},
        )
        for name, count in counts.items()
    ]  # fmt: skip


def pruned(spec: FeatureSpec, places: Sequence[int]) -> FeatureSpec:
    """The specification with the features of these places only, and without the columns that no feature needs any more."""
    kept, start = set(places), len(spec.numeric) + len(spec.derived)
    blocks = []
    for column in (*spec.categorical, *spec.crossed):
        blocks.append(range(start, start + width(column)))
        start += width(column)
    derived = [len(spec.numeric) + index for index in range(len(spec.derived)) if len(spec.numeric) + index in kept]
    sources = {name for place in derived for item in [spec.derived[place - len(spec.numeric)]] for name in (item.left, item.right)}
    numeric = [index for index, item in enumerate(spec.numeric) if index in kept or item.name in sources]
    used = [bool(kept.intersection(block)) for block in blocks]
    count = len(spec.categorical)
    crossed = [index for index in range(len(spec.crossed)) if used[count + index]]
    paired = {name for index in crossed for name in (spec.crossed[index].left, spec.crossed[index].right)}
    categorical = [index for index, item in enumerate(spec.categorical) if used[index] or item.name in paired]
    order = [*numeric, *derived, *(place for index in [*categorical, *(count + index for index in crossed)] for place in blocks[index])]
    selected = tuple(index for index, place in enumerate(order) if place in kept)
    return spec.model_copy(
        update={
            "numeric": tuple(spec.numeric[index] for index in numeric),
            "derived": tuple(spec.derived[place - len(spec.numeric)] for place in derived),
            "categorical": tuple(spec.categorical[index] for index in categorical),
            "crossed": tuple(spec.crossed[index] for index in crossed),
            "selected": selected if len(selected) < len(order) else (),
        }
    )


def _check_derived(profiles: Sequence[ColumnProfile], config: DataJobConfig) -> None:
    kinds = {profile.name: profile.type for profile in profiles}
    for item in config.derived:
        for name in (item.left, item.right):
            wanted = "text" if item.kind == "cross" else "numbers"
            if name not in kinds or (kinds[name] == "string") != (item.kind == "cross"):
                reason = "is not a column to learn from" if name not in kinds else f"does not hold {wanted}"
                listed = [column for column, kind in kinds.items() if (kind == "string") == (item.kind == "cross")]
                raise InvalidRequest(
                    f"the derived feature {item.kind} needs columns of {wanted}; {name[:80]!r} {reason}.",
                    remedy=f"Choose among {', '.join(column[:80] for column in listed[:20]) or 'none: there is no such column'}.",
                    code="E-DATA-040",
                )


def _versioned(spec: FeatureSpec) -> FeatureSpec:
    """Version 1 as long as it says everything, so that a plain recipe keeps its digest."""
    written = [spec.model_dump(), *(item.model_dump() for item in (*spec.numeric, *spec.categorical))]
    later = FeatureSpec.later | NumericColumn.later | {"encoding", "rare", "values", "prior"}
    return spec.model_copy(update={"version": 2 if any(later & item.keys() for item in written) else 1})


def _numbers(facts: Facts, profiles: Sequence[ColumnProfile]) -> tuple[list[NumericColumn], list[Finding]]:
    """The numeric columns with fill and, when outliers are clipped, fences; and what lies beyond (`drop` was counted as it was done)."""
    config = facts.config
    found: dict[str, tuple[float, float]] = {}
    findings: list[Finding] = []
    if config.outliers in {"flag", "clip"}:
        plain = {item.name: number_of(item.name) for item in profiles if item.type != "datetime"}
        found = fences(facts.connection, facts.table, plain, rule=config.outlier_rule)
        findings = outlier_findings(beyond(facts.connection, facts.table, plain, found), found, config)
    clipped = found if config.outliers == "clip" else {}
    columns = []
    for item in profiles:
        low, high = clipped.get(item.name, (None, None))
        columns.append(
            NumericColumn(
                name=item.name, type="int64" if item.type == "int64" else "float64", fill=_fill(facts, item), low=low, high=high,
                moment=item.type == "datetime",
            )
        )  # fmt: skip
    return columns, findings


def _fill(facts: Facts, profile: ColumnProfile) -> float:
    rule = facts.config.missing_values
    if rule == "constant" and profile.type != "datetime":
        return facts.config.missing_constant
    if rule == "mean" and profile.mean is not None:
        return profile.mean
    if rule == "mode":
        return mode(facts.connection, facts.table, profile.name)
    return profile.quantiles[3]


def _derived(facts: Facts, numbers: Sequence[NumericColumn]) -> tuple[list[DerivedColumn], list[DerivedColumn]]:
    """The derived numbers of the recipe with fill and fences, and those left out because training shows a single value or none."""
    names = {column.name for column in numbers}
    wanted = [
        DerivedColumn(kind=kind, left=item.left, right=item.right, fill=None)
        for kind in ("ratio", "product")
        for item in dict.fromkeys(facts.config.derived)
        if item.kind == kind and {item.left, item.right} <= names
    ]
    if facts.config.date_parts:
        wanted += [DerivedColumn(kind=kind, left=item.name, fill=None) for item in numbers if item.moment for kind in calendar.PARTS]
    if not wanted:
        return [], []
    ends = ", ".join(f"min({derived_number(item)}), max({derived_number(item)})" for item in wanted)
    found = facts.connection.execute(f"select {ends} from {facts.table}").fetchone()
    constant = [item for index, item in enumerate(wanted) if found[2 * index] == found[2 * index + 1]]
    varied = [item for item in wanted if item not in constant]
    return _fenced(facts, _derived_fills(facts, varied)), constant


def _derived_fills(facts: Facts, columns: Sequence[DerivedColumn]) -> list[DerivedColumn]:
    rule, numbers = facts.config.missing_values, [derived_number(item) for item in columns]
    if rule == "mean":
        fills = [mean for mean, _ in moments(facts.connection, facts.table, numbers)]
    elif rule == "mode":
        fills = [_mode(facts, number) for number in numbers]
    else:
        fills = [values[0] for values in quantiles(facts.connection, facts.table, numbers, (0.5,))]
    if rule == "constant":
        fills = [fill if item.kind in calendar.PARTS else facts.config.missing_constant for item, fill in zip(columns, fills, strict=True)]
    return [item.model_copy(update={"fill": float(fill)}) for item, fill in zip(columns, fills, strict=True)]


def _mode(facts: Facts, number: str) -> float:
    sql = f"select x from (select {number} as x from {facts.table}) where x is not null group by 1 order by count(*) desc, 1 limit 1"
    return float(facts.connection.execute(sql).fetchone()[0])


def _fenced(facts: Facts, columns: Sequence[DerivedColumn]) -> list[DerivedColumn]:
    """Ratios and products behind fences when outliers are clipped."""
    if facts.config.outliers != "clip":
        return list(columns)
    numbers = {str(index): derived_number(item) for index, item in enumerate(columns) if item.kind not in calendar.PARTS}
    found = fences(facts.connection, facts.table, numbers, rule=facts.config.outlier_rule)
    ends = [found.get(str(index), (None, None)) for index in range(len(columns))]
    return [item.model_copy(update={"low": low, "high": high}) for item, (low, high) in zip(columns, ends, strict=True)]


def _scaled(facts: Facts, columns: Sequence[Number]) -> list[Number]:
    rule = facts.config.scaling
    if rule == "none" or not columns:
        return list(columns)
    values = [filled(raw_number(item) if isinstance(item, NumericColumn) else derived_number(item), item) for item in columns]
    if rule == "standard":
        scales = moments(facts.connection, facts.table, values)
    elif rule == "minmax":
        ends = quantiles(facts.connection, facts.table, values, (0.0, 1.0))
        scales = [(low, high - low) for low, high in ends]
    else:
        quartiles = quantiles(facts.connection, facts.table, values, (0.25, 0.5, 0.75))
        scales = [(middle, high - low) for low, middle, high in quartiles]
    return [
        item.model_copy(update={"mean": center if math.isfinite(center) else 0.0, "scale": spread if 0 < spread < math.inf else 1.0})
        for item, (center, spread) in zip(columns, scales, strict=True)
    ]


def _missing_shares(facts: Facts, spec: FeatureSpec) -> dict[str, float]:
    """The share of training rows in which a derived number or a crossed text was missing."""
    wanted = {derived_name(item): f"{derived_number(item)} is null" for item in spec.derived}
    wanted |= {item.name: f"{identifier(item.left)} is null or {identifier(item.right)} is null" for item in spec.crossed}
    if not wanted:
        return {}
    listed = ", ".join(count_sql(rule) for rule in wanted.values())
    counts = facts.connection.execute(f"select {listed} from {facts.table}").fetchone()
    return {name: count / facts.rows for name, count in zip(wanted, counts, strict=True)}


def _rare_findings(folded: Sequence[Folded]) -> list[Finding]:
    return [Finding(code="W-DATA-016", columns=(item.name,), values={"categories": item.categories, "rows": item.rows}) for item in folded]


def _selected(facts: Facts, whole: FeatureSpec, gains: Gains) -> tuple[FeatureSpec, list[Finding], list[FeatureDoc]]:
    """The specification after selection, with W-DATA-017 and the documentation of what was left out."""
    if facts.config.selection == "none":
        return whole, [], []
    features = Features(facts.connection, facts.table, out_of_fold(facts, whole), target_sql(whole), facts.classes, gains)
    kept, left = select(features, facts.config)
    if not left:
        return whole, [], []
    names, described = feature_names(whole), documentation(whole, (), shares={})
    values = {"features": len(left), "kept": len(kept), "rule": facts.config.selection}
    finding = Finding(code="W-DATA-017", values=values)
    docs = [described[item.place].model_copy(update={"column": "", **_reason(item, names)}) for item in left]
    return _versioned(pruned(whole, kept)), [finding], docs


def _reason(item: LeftOut, names: Sequence[str]) -> dict[str, object]:
    if item.partner is not None:
        return {"left_out": "correlation", "reason": {"with": names[item.partner], "r": item.figure}}
    return {"left_out": "importance", "reason": {"gain_share": item.figure}}


def _sources(item: DerivedColumn) -> tuple[str, ...]:
    return (item.left, item.right) if item.right else (item.left,)
