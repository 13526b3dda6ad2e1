"""Lambda functions run isolated, bounded and with AWS's answers."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Lab

pytestmark = pytest.mark.flow


def test_a_function_sees_its_own_variables_and_nothing_of_the_host(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")
    source = "import os, sys\ndef handler(event, context):\n    return {'env': dict(os.environ), 'path': sys.path}\n"
    lab.function("seen", source, Environment={"Variables": {"MINE": "1", "AWS_SESSION_TOKEN": "forged"}})
    seen = lab.invoke("seen")
    assert seen["env"]["MINE"] == "1"
    assert seen["env"]["AWS_SESSION_TOKEN"] != "forged"
    allowed = {"PATH", "LANG", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "MINE", "LAMBDA_TASK_ROOT", "_HANDLER"}
    assert {name for name in seen["env"] if not name.startswith("AWS_")} <= allowed
    assert not [each for each in seen["path"] if "site-packages" in each or "ministack" in each]
    assert seen["env"]["TMPDIR"].startswith(str(lab.aws.config.state))
    assert os.environ["SECRET_OF_THE_DEVELOPER"] == "x"


def test_a_dependency_that_the_archive_lacks_is_missing_although_the_host_has_it(lab: Lab) -> None:
    lab.function("lacking", "import botocore\ndef handler(event, context):\n    return 1\n")
    answer = lab.invoke("lacking")
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'botocore'" in answer["errorMessage"]


def test_an_alias_is_told_to_the_function_and_a_qualifier_is_honoured(lab: Lab) -> None:
    arn = lab.function("named", "def handler(event, context):\n    return [context.invoked_function_arn, context.function_version]\n")
    client = lab.client("lambda")
    version = client.publish_version(FunctionName="named")["Version"]
    client.create_alias(FunctionName="named", Name="live", FunctionVersion=version)
    assert lab.invoke("named:live") == [f"{arn}:live", version]
    assert client.invoke(FunctionName="named", Qualifier="live")["Payload"].read().decode() == f'["{arn}:live", "{version}"]'


def test_an_exception_keeps_its_own_name_and_the_worker_lives_on(lab: Lab) -> None:
    source = "import os\nclass Refused(Exception): pass\n"
    source += "def handler(event, context):\n    if event: raise Refused('no')\n    return os.getpid()\n"
    lab.function("raising", source)
    before = lab.invoke("raising")
    answer = lab.invoke("raising", {"now": 1})
    assert (answer["errorType"], answer["errorMessage"]) == ("Refused", "no")
    assert lab.invoke("raising") == before


def test_a_function_that_takes_too_long_is_ended(lab: Lab) -> None:
    lab.function("slow", "import time\ndef handler(event, context):\n    time.sleep(30)\n", Timeout=1)
    began = time.monotonic()
    answer = lab.invoke("slow")
    assert answer["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - began < 6


def test_what_a_function_prints_reaches_its_log_group(lab: Lab) -> None:
    lab.function("talking", "def handler(event, context):\n    print('said this')\n")
    lab.invoke("talking")
    logs = lab.client("logs")
    found = lab.until(lambda: logs.filter_log_events(logGroupName="/aws/lambda/talking", filterPattern="said")["events"])
    assert "said this" in found[0]["message"]


def test_callers_queue_at_the_cap_and_the_reserved_function_still_answers(lab: Lab) -> None:
    waiting = "import os, time\ndef handler(event, context):\n    time.sleep(0.6)\n    return os.getpid()\n"
    for name in ("first", "second", "third"):
        lab.function(name, waiting, Timeout=20)
    lab.function("server", "def handler(event, context):\n    return 'here'\n")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda name=name: answers.append(lab.invoke(name)))
        for name in ("first", "second", "third")
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert lab.invoke("server") == "here"
    assert time.monotonic() - began < 1.5
    for each in threads:
        each.join()
    assert len(answers) == 12
    assert len(set(answers[:4])) <= 4


def test_a_role_that_does_not_trust_lambda_runs_nothing(lab: Lab) -> None:
    role = lab.role("for-states", "states.amazonaws.com")
    lab.function("untrusted", "def handler(event, context):\n    return 1\n", Role=role)
    assert "lambda.amazonaws.com is not authorized to perform: sts:AssumeRole" in lab.invoke("untrusted")["errorMessage"]
