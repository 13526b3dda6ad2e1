"""Which learning methods exist, for which tasks, with which hyperparameters and ranges.

    entry("xgboost").hyperparameters["max_depth"].check("8")     # -> 8
    suggest("xgboost", "max_dept")                                # -> ["max_depth"]

Pure data: the parser, the form, the operator's commands and the training job read the same table, and importing it loads no
learning library.  A new method is one entry here and one module of the same word beside this file.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlops_core.errors import InvalidRequest

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:e-?[0-9]{1,2})?\Z")


@dataclass(frozen=True)
class Hyperparameter:
    """One parameter: its kind, its closed range or choices, its default, one line of help, and the tasks that have a use for it."""

    name: str
    kind: Literal["int", "float", "choice"]
    default: int | float | str
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ("binary", "multiclass", "regression")

    def serves(self, task: str, value: int | float | str) -> bool:
        """Whether a task can do something with a value; with the default every task can."""
        return task in self.tasks or value == self.default

    @property
    def allowed(self) -> str:
        """The allowed values in words, for error texts and tables."""
        if self.kind == "choice":
            return ", ".join(self.choices)
        whole = "a whole number" if self.kind == "int" else "a number"
        return f"{whole} from {self.low:g} to {self.high:g}"

    def check(self, text: str) -> int | float | str:
        """The typed value of plain decimal text; `InvalidRequest` names the value and what is allowed.

        Only ASCII digits, one point and one exponent are numbers: ``1_000``, ``0x1F``, ``012``, ``NaN`` and full-width digits are not.
        """
        value: int | float | str | None = None
        if self.kind == "choice":
            value = text if text in self.choices else None
        elif _PLAIN_NUMBER.match(text):
            number = float(text)
            underflow = number == 0 and any(digit in "123456789" for digit in text.split("e", maxsplit=1)[0])
            if math.isfinite(number) and self.low <= number <= self.high and not underflow:
                value = number if self.kind == "float" else int(number) if text.lstrip("-").isdigit() else None
        if value is None:
            shown = text if len(text) <= 40 else text[:40] + "…"
            raise InvalidRequest(f"hyperparameter {self.name} cannot be {shown!r}; allowed: {self.allowed}.", code="E-PARSE-020")
        return value


@dataclass(frozen=True)
class Entry:
    """One learning method."""

    name: str
    title: str
    tasks: tuple[str, ...]
    hyperparameters: Mapping[str, Hyperparameter]


def _table(*parameters: Hyperparameter) -> dict[str, Hyperparameter]:
    return {parameter.name: parameter for parameter in parameters}


CLASS_WEIGHT = Hyperparameter(
    "class_weight", "choice", "none", "balanced: every class weighs the same", choices=("none", "balanced"), tasks=("binary", "multiclass")
)

XGBOOST = Entry(
    name="xgboost",
    title="XGBoost",
    tasks=("binary", "multiclass", "regression"),
    hyperparameters=_table(
        Hyperparameter("n_estimators", "int", 400, "number of boosting rounds", 1, 5000),
        Hyperparameter("max_depth", "int", 6, "depth of each tree", 1, 16),
        Hyperparameter("learning_rate", "float", 0.05, "shrinkage of each round", 0.0001, 1),
        Hyperparameter("min_child_weight", "float", 1.0, "least sum of weights in a leaf", 0, 1000),
        Hyperparameter("subsample", "float", 0.9, "share of rows of each round", 0.05, 1),
        Hyperparameter("colsample_bytree", "float", 0.5, "share of columns of each tree", 0.05, 1),
        Hyperparameter("gamma", "float", 0.0, "least loss reduction of a split", 0, 1000),
        Hyperparameter("reg_alpha", "float", 0.0, "L1 penalty on weights", 0, 1000),
        Hyperparameter("reg_lambda", "float", 1.0, "L2 penalty on weights", 0, 1000),
        Hyperparameter("max_bin", "int", 256, "histogram bins of each column", 16, 1024),
        Hyperparameter("early_stopping_rounds", "int", 0, "stop after so many rounds without a better validation loss; 0: never", 0, 1000),
        CLASS_WEIGHT,
    ),
)

RANDOM_FOREST = Entry(
    name="random_forest",
    title="Random forest",
    tasks=("binary", "multiclass", "regression"),
    hyperparameters=_table(
        Hyperparameter("n_estimators", "int", 200, "number of trees", 1, 2000),
        Hyperparameter("max_depth", "int", 24, "depth of each tree", 1, 64),
        Hyperparameter("min_samples_leaf", "int", 2, "least rows in a leaf", 1, 10000),
        Hyperparameter("min_samples_split", "int", 2, "least rows to split a node", 2, 10000),
        Hyperparameter(
            "max_features",
            "choice",
            "auto",
            "columns tried at each split; auto: sqrt for classes, two_thirds for a number",
            choices=("auto", "sqrt", "log2", "third", "two_thirds", "all"),
        ),
        CLASS_WEIGHT,
    ),
)

LOGISTIC_REGRESSION = Entry(
    name="logistic_regression",
    title="Logistic regression",
    tasks=("binary", "multiclass"),
    hyperparameters=_table(
        Hyperparameter("C", "float", 1.0, "inverse of the L2 penalty on the weights of standardised features", 0.000001, 1000000),
        Hyperparameter("max_iter", "int", 500, "most steps of the solver", 1, 10000),
        CLASS_WEIGHT,
    ),
)

LINEAR_REGRESSION = Entry(
    name="linear_regression",
    title="Linear regression",
    tasks=("regression",),
    hyperparameters=_table(
        Hyperparameter("alpha", "float", 0.0, "penalty on the weights of standardised features and target; 0: least squares", 0, 1000000),
        Hyperparameter("l1_ratio", "float", 0.0, "share of the L1 norm in the penalty: 0 ridge, 1 lasso", 0, 1),
    ),
)

ENTRIES: dict[str, Entry] = {item.name: item for item in (XGBOOST, RANDOM_FOREST, LOGISTIC_REGRESSION, LINEAR_REGRESSION)}
TREES: tuple[str, ...] = (XGBOOST.name, RANDOM_FOREST.name)
"""Methods that do every task: what ``auto`` may choose whatever the data; a hyperparameter given with ``auto`` must be known to each."""


def entry(name: str) -> Entry:
    """The entry of a method; `InvalidRequest` lists the methods there are."""
    if name not in ENTRIES:
        raise InvalidRequest(f"algorithm {name!r} is not offered; choose one of {', '.join(ENTRIES)}.", code="E-PARSE-006")
    return ENTRIES[name]


def columns_tried(choice: str, *, task: str, features: int) -> int:
    """How many columns a tree of a forest looks at for each split, at least one.

    ``auto`` is the square root for classes (Breiman 2001) and two thirds for a number: there a split that few columns may make costs more
    than likeness among the trees does (Geurts, Ernst and Wehenkel 2006 try all).
    """
    asked = ("two_thirds" if task == "regression" else "sqrt") if choice == "auto" else choice
    parts = {
        "sqrt": math.isqrt(features),
        "log2": int(math.log2(features)),
        "third": round(features / 3),
        "two_thirds": round(2 * features / 3),
    }
    return max(1, parts.get(asked, features))


def suggest(algorithm: str, name: str) -> list[str]:
    """Close spellings among the method's hyperparameters, best first, at most three."""
    names = (
        list(entry(algorithm).hyperparameters)
        if algorithm in ENTRIES
        else sorted({key for item in ENTRIES.values() for key in item.hyperparameters})
    )
    return difflib.get_close_matches(name, names, n=3, cutoff=0.5)
