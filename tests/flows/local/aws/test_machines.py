"""State machines: the role is asked, time-outs end, ended is ended, and the bus hears of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow


def _task(function: str, **more: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "TimeoutSeconds": 20, "End": True}
    return {"StartAt": "A", "States": {"A": {**task, **more}}}


def test_a_machine_may_invoke_only_what_its_role_allows(lab: Lab) -> None:
    arn = lab.function("worked", "def handler(event, context):\n    return 1\n")
    role = lab.role("machine-one", "states.amazonaws.com")
    machine = lab.machine("one", role, **_task(arn))
    denied = lab.run(machine)
    assert denied["status"] == "FAILED"
    assert "is not authorized to perform: lambda:InvokeFunction" in denied["cause"]
    lab.grant("machine-one", {"Action": "lambda:InvokeFunction", "Resource": arn})
    assert lab.run(machine)["status"] == "SUCCEEDED"


def test_an_error_of_the_function_is_caught_by_its_own_name(lab: Lab) -> None:
    arn = lab.function("refusing", "class Refused(Exception): pass\ndef handler(event, context):\n    raise Refused('no')\n")
    role = lab.role("machine-two", "states.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    definition = _task(arn, Catch=[{"ErrorEquals": ["Refused"], "Next": "Fine"}])
    definition["States"]["Fine"] = {"Type": "Succeed"}
    assert lab.run(lab.machine("two", role, **definition))["status"] == "SUCCEEDED"


def test_a_machine_that_takes_too_long_times_out_and_the_rule_hears_of_it_with_the_input(lab: Lab) -> None:
    arn, mail = lab.mailbox("ends")
    permission = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "StatementId": "e"}
    events = lab.client("events")
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED", "ABORTED", "TIMED_OUT"]}}
    rule = events.put_rule(Name="ends", EventPattern=json.dumps(pattern))["RuleArn"]
    lab.client("lambda").add_permission(FunctionName="ends", SourceArn=rule, **permission)
    events.put_targets(Rule="ends", Targets=[{"Id": "f", "Arn": arn}])
    role = lab.role("machine-three", "states.amazonaws.com")
    slow = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}}
    machine = lab.machine("three", role, TimeoutSeconds=1, **slow)
    ended = lab.run(machine, {"run": 7})
    assert ended["status"] == "TIMED_OUT"
    (heard,) = lab.until(lambda: [one for one in mail() if one["detail"]["stateMachineArn"] == machine])
    assert heard["detail"]["status"] == "TIMED_OUT"
    assert json.loads(heard["detail"]["input"]) == {"run": 7}
    time.sleep(2.5)
    assert lab.client("stepfunctions").describe_execution(executionArn=ended["executionArn"])["status"] == "TIMED_OUT"


def test_stopping_a_parent_stops_its_child_and_a_used_name_is_refused(lab: Lab) -> None:
    states = lab.client("stepfunctions")
    child_role = lab.role("machine-child", "states.amazonaws.com")
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 20, "End": True}}}
    child = lab.machine("child", child_role, **wait)
    execution = child.replace(":stateMachine:", ":execution:") + ":*"
    role = lab.role(
        "machine-parent",
        "states.amazonaws.com",
        {"Action": "states:StartExecution", "Resource": child},
        {"Action": "states:DescribeExecution", "Resource": execution},
    )
    nested = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "TimeoutSeconds": 60, "End": True}
    nested["Arguments"] = {"StateMachineArn": child, "Name": "once", "Input": {"a": 1}}
    parent = lab.machine("parent", role, StartAt="N", States={"N": nested})
    started = states.start_execution(stateMachineArn=parent)["executionArn"]
    running = execution[:-1] + "once"
    lab.until(lambda: states.list_executions(stateMachineArn=child)["executions"])
    again = lab.run(parent)
    assert again["error"] == "StepFunctions.ExecutionAlreadyExistsException"
    states.stop_execution(executionArn=started)
    assert lab.until(lambda: states.describe_execution(executionArn=running)["status"] != "RUNNING" and "ended") == "ended"
    assert states.describe_execution(executionArn=running)["status"] == "ABORTED"
    assert states.describe_execution(executionArn=started)["status"] == "ABORTED"


def test_starting_a_child_needs_the_permission(lab: Lab) -> None:
    child = lab.machine("lonely", lab.role("machine-lonely", "states.amazonaws.com"), StartAt="P", States={"P": {"Type": "Succeed"}})
    role = lab.role("machine-four", "states.amazonaws.com")
    nested = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Arguments": {"StateMachineArn": child}, "End": True}
    denied = lab.run(lab.machine("four", role, StartAt="N", States={"N": nested}))
    assert denied["status"] == "FAILED"
    assert "states:StartExecution" in denied["cause"]


def test_a_function_that_fails_while_its_token_is_awaited_fails_the_task_at_once(lab: Lab) -> None:
    arn = lab.function("dying", "def handler(event, context):\n    raise ValueError('dead')\n")
    role = lab.role("machine-five", "states.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    definition = _task(arn)
    task = definition["States"]["A"]
    task["Resource"] += ".waitForTaskToken"
    task["Arguments"]["Payload"] = {"token": "{% $states.context.Task.Token %}"}
    began = time.monotonic()
    ended = lab.run(lab.machine("five", role, **definition))
    assert (ended["status"], ended["error"]) == ("FAILED", "ValueError")
    assert time.monotonic() - began < 5


def test_a_task_token_answered_by_a_caller_ends_the_wait(lab: Lab) -> None:
    arn, mail = lab.mailbox("tokens")
    role = lab.role("machine-six", "states.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    definition = _task(arn)
    task = definition["States"]["A"]
    task["Resource"] += ".waitForTaskToken"
    task["Arguments"]["Payload"] = {"token": "{% $states.context.Task.Token %}"}
    states = lab.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=lab.machine("six", role, **definition))["executionArn"]
    token = lab.until(mail)[0]["token"]
    states.send_task_success(taskToken=token, output='{"answer": 5}')
    done = lab.until(lambda: (one := states.describe_execution(executionArn=execution)) and one["status"] != "RUNNING" and one)
    assert json.loads(done["output"]) == {"answer": 5}


def test_an_integration_that_is_not_modelled_is_refused_by_name(lab: Lab) -> None:
    role = lab.role("machine-seven", "states.amazonaws.com", {"Action": "*", "Resource": "*"})
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "End": True}
    ended = lab.run(lab.machine("seven", role, StartAt="N", States={"N": task}))
    assert ended["status"] == "FAILED"
    assert "aws-sdk:s3:listBuckets is not offered" in ended["cause"]
