"""How much each feature helps: its part in the gain of a small gradient-boosted model.

    found = gains(values, target, classes)      # float64 [features], 0 where no tree used the feature

XGBoost, `TREES` trees of depth `DEPTH` (shared among the classes when there are more than two, at least 5 rounds), one thread, seed 0:
the same figures in every run.  ``values`` is float32 [rows, features], ``target`` the class index or the value, ``classes`` 0 for a
regression.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
TREES, DEPTH = 50, 4


def gains(values: Array, target: Array, classes: int) -> Array:
    """The total gain of each feature's splits."""
    import xgboost

    objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")
    parameters: dict[str, Any] = {
        "objective": objective,
        "max_depth": DEPTH,
        "tree_method": "hist",
        "nthread": 1,
        "seed": 0,
        "verbosity": 0,
    }
    rounds = TREES
    if classes > 2:
        parameters["num_class"] = classes
        rounds = max(5, TREES // classes)
    names = [f"f{index}" for index in range(values.shape[1])]
    table = xgboost.DMatrix(values, label=target, feature_names=names, nthread=1)
    found = xgboost.train(parameters, table, rounds).get_score(importance_type="total_gain")
    return np.array([found.get(name, 0.0) for name in names], dtype=np.float64)
