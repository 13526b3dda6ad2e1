"""Judge: a function of figures and policy that can reach nothing; its role may write logs only.

    handler({"verdict_input": VerdictInput, "policy": Policy}, context)
    # {"decision": "accept" | "retrain" | "refuse" | "opened", "reason": "...", "verdict": Verdict | None}

Figures of the test split are recorded, not judged: their decision is "opened".  A warning that the policy stops on is refused before any
figure is weighed, on either split: such figures are no proof.  So is a rule whose figure the data do not give: another round would not
measure it either.
"""

from __future__ import annotations

from mlops_core.agents.handler import Document


def handler(event: Document, context: object) -> Document:  # noqa: ARG001 - Lambda's signature
    """Lambda entry."""
    from mlops_core.agents.stopping import stop_of
    from mlops_core.contracts.stops import EVALUATION_STOPPED, UNMEASURED, told
    from mlops_core.contracts.verdict import Policy, VerdictInput
    from mlops_core.errors import Refused
    from mlops_core.judging import judge, reason

    figures = VerdictInput.model_validate(event["verdict_input"])
    policy = Policy.model_validate(event["policy"])
    stop = stop_of(policy.model_dump(mode="json"), [item.model_dump(mode="json") for item in figures.stops], code=EVALUATION_STOPPED)
    if stop:
        return {"decision": "refuse", "reason": stop, "verdict": None}
    if figures.split == "test":
        return {"decision": "opened", "reason": "", "verdict": None}
    try:
        verdict = judge(figures, policy)
    except Refused as error:
        if error.code not in UNMEASURED:
            raise
        return {"decision": "refuse", "reason": told(error.headline, error.remedy, error.code), "verdict": None}
    return {"decision": verdict.decision, "reason": reason(verdict), "verdict": verdict.model_dump(mode="json")}
