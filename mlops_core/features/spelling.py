"""The same category in several spellings: alike but for case and blanks, brought to the most frequent one.

    folds = spellings(connection, "data", ["sex", "city"])      # {'sex': {'MALE': 'Male', 'male ': 'Male'}}
    fold_sql("sex", folds["sex"])                               # for the typed table
    with_spellings(spec, folds)                                 # for what is served

Only columns of at most 1,000 different values are looked at (an approximate count picks them), and single characters are left alone:
``a`` and ``A`` are often codes of their own.
"""

# ruff: noqa: S608  every name passes typing.identifier and every text typing.literal
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_core.contracts.dataset import FeatureSpec
from mlops_core.features.typing import identifier, literal

MOST_VALUES = 1_000


def spellings(connection: Any, table: str, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Per column the spelling that replaces each other one; of equally frequent ones the first in order stays."""
    if not names:
        return {}
    counts = ", ".join(f"approx_count_distinct({identifier(name)})" for name in names)
    about = connection.execute(f"select {counts} from {table}").fetchone()
    found = {}
    for name, values in zip(names, about, strict=True):
        if values <= MOST_VALUES and (fold := _fold(connection, table, name)):
            found[name] = fold
    return found


def fold_sql(column: str, fold: Mapping[str, str]) -> str:
    """The column with its spellings brought together."""
    whens = " ".join(f"when {literal(old)} then {literal(new)}" for old, new in fold.items())
    return f"(case {identifier(column)} {whens} else {identifier(column)} end)"


def with_spellings(spec: FeatureSpec, folds: Mapping[str, Mapping[str, str]]) -> FeatureSpec:
    """The specification whose text columns know the other spellings of their categories, so that served text is read alike."""
    categorical = tuple(
        column.model_copy(update={"spellings": tuple(sorted(folds[column.name].items()))}) if column.name in folds else column
        for column in spec.categorical
    )
    return spec.model_copy(update={"categorical": categorical})


def _fold(connection: Any, table: str, name: str) -> dict[str, str]:
    column = identifier(name)
    counted = connection.execute(
        f"select {column}, count(*) from {table} where {column} is not null group by 1 order by count(*) desc, 1"
    ).fetchall()
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for value, _ in counted:
        key = " ".join(value.split()).casefold()
        if len(key) > 1:
            alike[key].append(value)
    return {other: values[0] for values in alike.values() for other in values[1:]}
