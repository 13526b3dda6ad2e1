"""Evaluation: measures a round on the validation split, opens the test split once, and tells the judge what it needs.

    handler({"action": "start", "run_id": "income-1a2b3c4d-g1", "round": 0, "split": "validation"}, context)
    # … describe of a finished job: {"state": "completed", …, "verdict_input": VerdictInput, "policy": Policy}

The judge can reach nothing, so everything it weighs travels through here: figures with intervals, the trivial baseline, the champion's
figures and the pinned policy; no rows, no names of people.
"""

from __future__ import annotations

from mlops_core.agents.following import LongJob, begin, follow, job_name, job_use, line, park, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of
from mlops_core.agents.stopping import stopping

GAPS: dict[str, tuple[str, str]] = {
    "selection_rate_ratio": ("selection_rate", "ratio"),
    "selection_rate_difference": ("selection_rate", "difference"),
    "true_positive_rate_difference": ("true_positive_rate", "difference"),
    "false_positive_rate_difference": ("false_positive_rate", "difference"),
    "accuracy_difference": ("accuracy", "difference"),
}
"""What a policy can bound -> the gap of the results and its part."""
ERRORS = frozenset({"rmse", "mae", "mape", "mse", "median_ae", "log_loss", "brier"})
"""`contracts.request.LOWER_IS_BETTER`, without the cost of importing the contracts."""
MOST_GAPS, MOST_SLICES, MOST_STOPS = 20, 3, 10
SPLIT = ("seed", "split", "split_gap", "time_column", "group_column", "duplicates", "target", "task", "positive_label")
"""Fields of a request that decide on which side of the split a row falls."""
LONG = LongJob(word="evaluation", phase="validation", start="start_evaluation_job", describe="describe_evaluation_job")


def handler(event: Document, context: object) -> Document:
    """Lambda entry."""
    return answer("evaluation", ACTIONS, event, context)


def start(agent: Agent, event: Document) -> Document:
    """Start the look at one split; a look at the test split is counted before it happens."""
    run_id, number, split = str(event["run_id"]), int(event["round"]), str(event["split"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    job = job_name(run_id, "test" if split == "test" else f"eval-r{number}")
    changes: Document = {"phase": phase("validation", "running", line("detail.measuring", split=split, round=number), job)}
    if event.get("verdict"):
        changes["verdict"] = event["verdict"]
    agent.record(run_id, changes)
    if split == "test":
        name = run["request"]["dataset"].split("/")[4]
        agent.tools.call("count_look", dataset=name, version=run["dataset_version"], key=key_of(run_id, "look"))
    return begin(agent, LONG, run_id, job=job, arguments=_arguments(agent, run, number, split))


def describe(agent: Agent, event: Document) -> Document:
    """Follow the job; a finished one returns the judge's two messages."""
    run_id, number, split = str(event["run_id"]), int(event["round"]), str(event["split"])

    def again(name: str) -> None:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        begin(agent, LONG, run_id, job=name, arguments=_arguments(agent, run, number, split))

    def finish(facts: Document) -> Document:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        uri = output_uri(run, number, split)
        results: Document = agent.tools.call("read_results", evaluation_uri=uri)
        done = phase("validation", "done", _figure(results), facts["job"])
        where = {"test_evaluation_uri" if split == "test" else "evaluation_uri": uri}
        policy: Document = agent.tools.call("read_policy", run_id=run_id)
        agent.record(run_id, {"phase": done, "jobs": [job_use(facts, "validation")], "warnings": results["findings"], **where})
        stops = stopping(policy["stop_on"], results["findings"])
        gaps = gaps_of(results, policy)
        groups = {"groups": gaps, "protected_attributes": attributes_of(run["request"], results, policy, gaps)}
        weighed = {**groups, "slices": slices_of(results, policy), "stops": stops[:MOST_STOPS]}
        return {"verdict_input": {**_verdict_input(agent, run, results, number), **weighed}, "policy": policy}

    return follow(agent, LONG, event, again=again, finish=finish)


def output_uri(run: Document, number: int, split: str) -> str:
    """Where a look's results lie."""
    bucket = "/".join(run["request"]["dataset"].split("/")[:3])
    return f"{bucket}/evaluations/{run['run_id']}-r{number}{'-test' if split == 'test' else ''}/"


def _arguments(agent: Agent, run: Document, number: int, split: str) -> Document:
    request = run["request"]
    config = {
        "run_id": run["run_id"],
        "model_name": request["model_name"],
        "task": request["task"],
        "metric": request["metric"],
        "split": split,
        "round": number,
        "language": request["language"],
        "seed": request["seed"],
        "protected": request["protected_attributes"],
        "slice_rows": agent.tools.call("read_policy", run_id=run["run_id"])["slice_rows"],
    }
    return {
        "config": config,
        "model_uri": run["training_uri"],
        "prepared_uri": run["prepared_uri"],
        "output_uri": output_uri(run, number, split),
        "instance_type": run["instance_type"],
        "max_runtime_seconds": request["max_runtime_minutes"] * 60,
        "champion_uri": _rival(agent, run) if split == "validation" else None,
    }


def _rival(agent: Agent, run: Document) -> str | None:
    """The champion's package where these rows are new to it too: equal rows share a side of the split only under the same split."""
    request = run["request"]
    champion: Document | None = agent.tools.call("read_champion", model_name=request["model_name"])
    if not champion or champion["run_id"] == run["run_id"]:
        return None
    before: Document = agent.tools.call("read_run", run_id=champion["run_id"])["request"]
    return str(champion["model_uri"]) if all(before[name] == request[name] for name in SPLIT) else None


def _verdict_input(agent: Agent, run: Document, results: Document, number: int) -> Document:
    request = run["request"]
    champion: Document | None = agent.tools.call("read_champion", model_name=request["model_name"])
    again = {name: interval["value"] for name, interval in results["champion"].items()}
    known = champion is not None and again and results["champion_version"] == champion["version"]
    return {
        **{name: results[name] for name in ("task", "metric", "split", "rows", "metrics", "baseline")},
        # On the same rows where it was measured there, as it was recorded otherwise.
        "champion": (again if known else champion["metrics"]) if champion else None,
        "champion_version": champion["version"] if champion else None,
        # Nobody asked for a run that data or a schedule started: an equal model is no reason to change what serves.
        "champion_must_lose": bool(run["trigger"]),
        "threshold": request["threshold"],
        "round": number,
        "max_retrains": request["max_retrains"],
    }


def gaps_of(results: Document, policy: Document) -> list[Document]:
    """What the policy bounds between the groups of each protected attribute, where two groups can be compared.

    Attributes are told whole and the worst first, so that what there is no room for keeps every bound that the last one told keeps.
    """
    told = sorted(
        (_gaps(audit, policy) for audit in results["groups"]), key=lambda gaps: -max((_excess(gap, policy) for gap in gaps), default=0)
    )
    found: list[Document] = []
    for gaps in told:
        if len(found) + len(gaps) > MOST_GAPS:
            break
        found += gaps
    return found


def _gaps(audit: Document, policy: Document) -> list[Document]:
    found = []
    for measure, (figure, part) in GAPS.items():
        gap = audit["gaps"].get(figure)
        if measure in policy["fairness"] and gap and gap[part]:
            value = min(1.0, max(0.0, float(gap[part]["value"])))
            groups = {"least": gap["lowest"][:64], "greatest": gap["highest"][:64]}
            found.append({"attribute": audit["attribute"], "measure": measure, "value": value, **groups})
    return found


def _excess(gap: Document, policy: Document) -> float:
    """How far a figure lies beyond its bound; below 0 it keeps it."""
    over = float(gap["value"]) - float(policy["fairness"][gap["measure"]])
    return over if gap["measure"].endswith("_difference") else -over


def attributes_of(request: Document, results: Document, policy: Document, gaps: list[Document]) -> list[str]:
    """The protected attributes that the judge asks for: all but those that were measured and are not told for want of room."""
    told = {gap["attribute"] for gap in gaps}
    measured = {audit["attribute"] for audit in results["groups"] if len(_gaps(audit, policy)) == len(policy["fairness"])}
    return [name for name in request["protected_attributes"] if name in told or name not in measured][:MOST_GAPS]


def slices_of(results: Document, policy: Document) -> list[Document]:
    """The worst slices by each metric for which the policy sets a floor, in words: of one column, and of the significant pairs."""
    found = []
    told = results["slices"] or {"found": [], "lowest": {}}
    for metric in policy["slice_minimum"]:
        sign = -1.0 if metric in ERRORS else 1.0
        measured = [{**each, "value": each["figures"][metric]["value"]} for each in told["found"] if metric in each["figures"]]
        large = [each for each in [*measured, *_lowest(told, metric)] if each["rows"] >= policy["slice_rows"]]
        worst = sorted(large, key=lambda each: sign * each["value"])[:MOST_SLICES]
        found += [{"name": named(each), "metric": metric, "value": each["value"], "rows": each["rows"]} for each in worst]
    return found


def _lowest(told: Document, metric: str) -> list[Document]:
    return [told["lowest"][metric]] if metric in told["lowest"] else []


def named(found: Document) -> str:
    """A slice in signs: ``age ≤ 25, sex = Male``, at most 256 characters."""
    return ", ".join(_condition(part) for part in found["conditions"])[:256]


def _condition(part: Document) -> str:
    column, low, high = part["column"][:60], part["low"], part["high"]
    if part["missing"]:
        return f"{column} = (missing)"
    if part["category"] is not None:
        return f"{column} = {part['category'][:60]}"
    bounds = "" if low is None else f"{low:.6g} < "
    return f"{bounds}{column}" + ("" if high is None else f" ≤ {high:.6g}")


def _figure(results: Document) -> Document:
    measured = results["metrics"].get(results["metric"])
    split, metric, rows = str(results["split"]), str(results["metric"]), int(results["rows"])
    if measured is None:
        return line("detail.unmeasured", split=split, metric=metric, rows=rows)
    return line("detail.measured", split=split, metric=metric, rows=rows, value=float(measured["value"]))


ACTIONS = {"start": start, "describe": describe, "park": park}
