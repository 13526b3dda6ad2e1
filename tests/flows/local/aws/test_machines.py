"""State machines: the role is asked, time-outs end, ended is ended, and the bus hears of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - the tests are an independent client

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
    nested["Arguments"] = {"StateMachineArn": child, "Name": "once", "Input": "{% $states.input %}"}
    parent = lab.machine("parent", role, StartAt="N", States={"N": nested})
    started = states.start_execution(stateMachineArn=parent)["executionArn"]
    running = execution[:-1] + "once"
    lab.until(lambda: states.list_executions(stateMachineArn=child)["executions"])
    again = lab.run(parent, {"another": "input"})
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


def test_more_than_256_kib_do_not_pass(lab: Lab) -> None:
    """Abuse row 61: the platform enforces the limit on inputs and on results."""
    arn = lab.function("wordy", "def handler(event, context):\n    return 'x' * 300_000\n")
    role = lab.role("machine-eight", "states.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": arn})
    machine = lab.machine("eight", role, **_task(arn))
    with pytest.raises(ClientError, match=r"ValidationException|InvalidExecutionInput"):
        lab.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps("x" * 262_143))
    ended = lab.run(machine)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_start_that_is_repeated_finds_the_running_execution_and_never_a_closed_one(lab: Lab) -> None:
    """Abuse rows 58 and 59: the same name and input answer with the same ARN while it runs; afterwards the name is used up."""
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 30, "End": True}}}
    machine = lab.machine("nine", lab.role("machine-nine", "states.amazonaws.com"), **wait)
    states = lab.client("stepfunctions")
    first = states.start_execution(stateMachineArn=machine, name="run", input='{"a": 1}')["executionArn"]
    assert states.start_execution(stateMachineArn=machine, name="run", input='{"a": 1}')["executionArn"] == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="run", input='{"a": 2}')
    states.stop_execution(executionArn=first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="run", input='{"a": 1}')
