"""What is granted is used: every (role, action) of the templates against the authorisation journal of the whole flow suite.

The file's name puts it last; it reads what the flows before it made the platform decide.  A part of the flows proves nothing, so it skips.
"""

from __future__ import annotations

import ast
import time
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from mlops_core.cli.platform import Platform
from mlops_core.local.aws.journal import used
from tests.policy.test_iam import as_list
from tests.policy.test_templates import TEMPLATES, load

pytestmark = pytest.mark.flow
NEEDED = ("test_line.py", "test_rare_paths.py", "test_retraining.py")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
FLUSH_SECONDS = 1.0

UNUSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("mlops-agent-*", LOGS, "the Lambda service writes a function's log for it; locally the host does, without asking the role"),
    ("mlops-server", LOGS, "as for the agents"),
    ("mlops-agent-*", TRACES, "the X-Ray daemon of the Lambda service sends traces; the local platform has none"),
    ("mlops-server", TRACES, "as for the agents"),
    *(
        (
            role,
            (
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                *TRACES,
            ),
            "Step Functions sets vended logs up and samples traces with the machine's role; the local platform does neither",
        )
        for role in ("mlops-pipeline", "mlops-job-machine", "mlops-deploy")
    ),
    (
        "mlops-pipeline",
        ("events:PutTargets", "events:PutRule", "events:DescribeRule", "states:StopExecution"),
        "for startExecution.sync Step Functions keeps a rule of its own and stops the child of an aborted parent; locally the host does",
    ),
    *(
        (
            role,
            (
                "logs:CreateLogGroup",
                "logs:DescribeLogStreams",
                *LOGS,
                "cloudwatch:PutMetricData",
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetAuthorizationToken",
                "ecr:GetDownloadUrlForLayer",
            ),
            "SageMaker pulls images, logs and measures with the execution role; locally images are environments, and the host logs",
        )
        for role in ("mlops-job", "mlops-endpoint")
    ),
    ("mlops-endpoint", ("s3:ListBucket",), "SageMaker lists a model's prefix to tell missing from forbidden; locally it reads the object"),
    *(
        (role, ("kms:Decrypt", "kms:GenerateDataKey"), "S3 and DynamoDB ask KMS in the caller's name; the local ones do not")
        for role in ("mlops-server", "mlops-train")
    ),
    ("mlops-operate", ("kms:Decrypt",), "as for mlops-train"),
)
"""(role, actions, reason): what AWS needs although no flow on the local platform asks for it."""


def granted() -> set[tuple[str, str]]:
    """Every (role, action) that the templates allow, managed policies included."""
    resources = {(path.stem, logical): body for path in TEMPLATES for logical, body in load(path.stem)["Resources"].items()}
    managed = {key: body["Properties"]["PolicyDocument"] for key, body in resources.items() if body["Type"] == "AWS::IAM::ManagedPolicy"}
    found = set()
    for (stack, _), body in resources.items():
        if body["Type"] != "AWS::IAM::Role":
            continue
        properties = body["Properties"]
        documents = [item["PolicyDocument"] for item in properties.get("Policies", [])]
        attached = properties.get("ManagedPolicyArns", [])
        if attached == {"Ref": "ServerPolicyArns"}:  # the output of another stack names both of its policies
            documents += [document for (place, _), document in managed.items() if place == "server-policy"]
        else:
            documents += [managed[stack, item["Ref"]] for item in attached]
        role = str(properties["RoleName"]["Fn::Sub"]).replace("${Prefix}", "mlops")
        allowed = (item for document in documents for item in document["Statement"] if item["Effect"] == "Allow")
        found |= {(role, action) for item in allowed for action in as_list(item["Action"])}
    return found


def expected_unused(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The granted pairs that the list explains; a row that explains nothing granted is stale."""
    explained = set()
    for role, actions, _ in UNUSED:
        for action in actions:
            matching = {pair for pair in pairs if fnmatchcase(pair[0], role) and pair[1] == action}
            assert matching, f"{role} is not granted {action} any more; take it off the list"
            explained |= matching
    return explained


def test_the_list_of_unused_grants_names_only_grants_and_gives_one_reason_each() -> None:
    assert expected_unused(granted())
    assert all(len(reason) > 10 for _, _, reason in UNUSED)


def test_every_granted_action_is_used_by_its_role_but_for_a_reasoned_list(request: pytest.FixtureRequest, platform: Platform) -> None:
    collected = {(item.path.name, getattr(item, "originalname", item.name)) for item in request.session.items}
    missing = sorted(name for name in wanted() if name not in collected)
    if missing or request.session.testsfailed:
        pytest.skip(f"only a part of the flows ran: {', '.join(name for _, name in missing[:3]) or 'some failed'}; run all of tests/flows")
    time.sleep(FLUSH_SECONDS)
    journal, pairs = used(platform.places.state / "aws" / "journal.jsonl"), granted()
    unused, explained = pairs - journal, expected_unused(pairs)
    assert sorted(unused - explained) == [], "granted and never used: take it away, use it in a flow, or give the reason in UNUSED"
    assert sorted(explained & journal) == [], "used after all: take it off the list UNUSED"


def wanted() -> set[tuple[str, str]]:
    """(file, test) of the flows that the journal must hold."""
    folder = Path(__file__).parent
    modules = {name: ast.parse((folder / name).read_text(encoding="utf-8")) for name in NEEDED}
    return {
        (name, node.name)
        for name, module in modules.items()
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
