"""Training: asks for the plan, specifies the job, follows it, and passes job-state events on to whoever waits.

    handler({"action": "start", "run_id": "income-1a2b3c4d-g1", "round": 1}, context)

Round n trains with the request's hyperparameters and every change the operator made up to round n, on the same prepared data.
An event "SageMaker … Job State Change" wakes the state machine that waits for the job.
"""

from __future__ import annotations

from mlops_core.agents.following import LongJob, begin, follow, job_name, job_use, line, park, phase
from mlops_core.agents.handler import Agent, Document, answer, key_of

LONG = LongJob(word="training", phase="experiment", start="start_training_job", describe="describe_training_job")

_ENDED = {"Completed", "Failed", "Stopped"}


def handler(event: Document, context: object) -> Document:
    """Lambda entry: the state machine's actions and EventBridge's job-state events."""
    if event.get("source") == "aws.sagemaker":
        event = {"action": "wake", "event_id": event["id"], "detail": event["detail"]}
    return answer("training", ACTIONS, event, context)


def start(agent: Agent, event: Document) -> Document:
    """Plan the round, record algorithm, instance and reasons, and start the training job."""
    run_id, number = str(event["run_id"]), int(event["round"])
    run: Document = agent.tools.call("read_run", run_id=run_id)
    plan: Document = agent.tools.call("propose_plan", run_id=run_id)
    job = job_name(run_id, f"train-r{number}")
    told = {"algorithm": plan["algorithm"], "instance_type": plan["instance_type"]}
    if not run["plan_reasons"]:
        told["plan_reasons"] = plan["reasons"]
    agent.record(run_id, {"phase": phase("experiment", "running", line("detail.round", round=number), job), "round": number, **told})
    return begin(agent, LONG, run_id, job=job, arguments=_arguments(run, plan, number))


def describe(agent: Agent, event: Document) -> Document:
    """Follow the job; a finished one leaves its artifact and last metrics in the run."""
    run_id, number = str(event["run_id"]), int(event["round"])

    def again(name: str) -> None:
        run: Document = agent.tools.call("read_run", run_id=run_id)
        plan: Document = agent.tools.call("propose_plan", run_id=run_id)
        begin(agent, LONG, run_id, job=name, arguments=_arguments(run, plan, number))

    def finish(facts: Document) -> Document:
        done = phase("experiment", "done", line("detail.trained", round=number, seconds=facts["seconds"]), facts["job"])
        metrics = [[name, value] for name, value in sorted(facts["metrics"].items())]
        agent.record(
            run_id, {"phase": done, "training_uri": facts["output_uri"], "live_metrics": metrics, "jobs": [job_use(facts, "experiment")]}
        )
        return {}

    return follow(agent, LONG, event, again=again, finish=finish)


def wake(agent: Agent, event: Document) -> Document:
    """End the wait of the machine that follows a job that ended; steps on the way are seen at the next look."""
    detail = event["detail"]
    job = str(detail.get("TrainingJobName") or detail.get("ProcessingJobName") or "")
    status = detail.get("TrainingJobStatus") or detail.get("ProcessingJobStatus")
    if not job.startswith("mlops-") or status not in _ENDED:
        return {}
    agent.tools.call("wake_job", job=job, key=key_of(job, "wake", event["event_id"]))
    return {}


def hyperparameters(run: Document, number: int) -> Document:
    """The request's hyperparameters with every operator's change up to a round."""
    values: Document = dict(run["request"]["hyperparameters"])
    for item in sorted(run["rounds"], key=lambda item: int(item["number"])):
        if item["number"] <= number:
            values.update({change["name"]: change["after"] for change in item["changes"]})
    return values


def _arguments(run: Document, plan: Document, number: int) -> Document:
    request = run["request"]
    bucket = "/".join(request["dataset"].split("/")[:3])
    return {
        "algorithm": plan["algorithm"],
        "task": request["task"],
        "metric": request["metric"],
        "seed": request["seed"],
        "hyperparameters": hyperparameters(run, number),
        "prepared_uri": run["prepared_uri"],
        "output_uri": f"{bucket}/models/{request['model_name']}/{run['run_id']}-r{number}/",
        "instance_type": plan["instance_type"],
        "max_runtime_seconds": plan["max_runtime_seconds"],
    }


ACTIONS = {"start": start, "describe": describe, "park": park, "wake": wake}
