"""The start of a run: policy pinned, claims taken, state stored, the pipeline started; once, however often asked.

started = start_run(ports, approved)      # StartedRun; adopted when an earlier event had started it already
"""

from __future__ import annotations

import json
import uuid

from mlops_core.contracts.approval import ApprovedRequest, StartedRun
from mlops_core.contracts.base import canonical, digest
from mlops_core.contracts.run import RunState, Trigger
from mlops_core.contracts.verdict import Policy
from mlops_core.errors import Conflict, Refused
from mlops_core.intake.hyperparameters import check_method
from mlops_core.ports import Ports
from mlops_core.runs import models, names, page, policy, starting
from mlops_core.runs.state import change_run, create_run, stamp


def start_run(ports: Ports, approved: ApprovedRequest, *, trigger: Trigger = "") -> StartedRun:
    """Start the run that answers an approved request, or return the live or successful one that an earlier event started.

    ``trigger`` says what asked for it where no person did.
    """
    request = approved.request
    bucket = ports.settings.require("bucket")
    for uri in filter(None, (request.dataset, request.test_dataset)):
        names.safe_uri(uri, below=f"s3://{bucket}/datasets/")
    check_method(request)
    commit = ports.repository.head(approved.repository)
    rules = policy.parse_policy(ports.repository.read(approved.repository, policy.PATH, commit))
    _check_policy(approved, rules)
    content = digest(request)
    models.claim_home(ports, request.model_name, approved.repository)
    generation, run = starting.claim_generation(ports, approved.repository, approved.issue, content, request.model_name)
    try:
        starting.claim_issue(ports, approved.repository, approved.issue, run)
    except Conflict:
        starting.give_back(ports, approved.repository, approved.issue, content, run, generation)
        raise
    first = _first_state(ports, approved, run, generation=generation, commit=commit)
    state = create_run(ports, first.model_copy(update={"trigger": trigger}))
    if state.outcome is not None:
        ports.ledger.delete(names.issue_key(approved.repository, approved.issue), starting.LIVE, expected={"run_id": run})
        return _answer(state, adopted=True)
    page.write_once(ports, names.run_uri(bucket, run, "request.json"), canonical(approved))
    page.write_once(ports, names.run_uri(bucket, run, "policy.json"), canonical(rules))
    arn, adopted = _start_execution(ports, state)
    if state.execution_arn != arn:
        state = change_run(ports, run, lambda found: found.model_copy(update={"execution_arn": arn}))
        page.refresh_page(ports, state)
    return _answer(state, adopted=adopted)


def _check_policy(approved: ApprovedRequest, rules: Policy) -> None:
    request = approved.request
    if rules.instance_types and request.instance_type != "auto" and request.instance_type not in rules.instance_types:
        allowed = ", ".join(rules.instance_types)
        headline = f"instance type {request.instance_type} is not allowed by {policy.PATH}; allowed: auto, {allowed}."
        raise Refused(headline, remedy='Edit the issue\'s "Instance type" and label it again.', code="E-POLICY-INSTANCE")
    if request.max_retrains > rules.max_retrains:
        headline = f"{request.max_retrains} retrains were asked for; {policy.PATH} allows {rules.max_retrains}."
        raise Refused(headline, remedy="Lower it in the issue and label it again.", code="E-POLICY-RETRAINS")
    if rules.max_cost_usd is not None and request.max_cost_usd is not None and request.max_cost_usd > rules.max_cost_usd:
        headline = f"a cost of {request.max_cost_usd:g} USD was asked for; {policy.PATH} allows {rules.max_cost_usd:g} USD."
        raise Refused(headline, remedy="Lower it in the issue and label it again.", code="E-POLICY-COST")


def _first_state(ports: Ports, approved: ApprovedRequest, run: str, *, generation: int, commit: str) -> RunState:
    return RunState(
        run_id=run,
        repository=approved.repository,
        issue=approved.issue,
        generation=generation,
        request=approved.request,
        request_digest=digest(approved.request),
        body_digest=approved.body_digest,
        sender=approved.author,
        approved_by=approved.approved_by,
        policy_commit=commit,
        policy_uri=names.run_uri(ports.settings.require("bucket"), run, "policy.json"),
        code_commit=approved.commit or ports.settings.code_commit,
        correlation_id=uuid.uuid4().hex,
        started_at=stamp(ports.clock.now()),
    )


def _start_execution(ports: Ports, state: RunState) -> tuple[str, bool]:
    body = json.dumps({"run_id": state.run_id, "correlation_id": state.correlation_id}, sort_keys=True)
    machine = ports.settings.require("pipeline_arn")
    try:
        return ports.machines.start(machine, state.run_id, body)
    except Conflict as error:
        # A closed name is refused for 90 days: the run that had it is the answer, its end is being recorded.
        if error.code != "E-RUN-NAME" or not state.execution_arn:
            raise
        return state.execution_arn, True


def _answer(state: RunState, *, adopted: bool) -> StartedRun:
    return StartedRun(run_id=state.run_id, generation=state.generation, execution_arn=state.execution_arn, adopted=adopted)
