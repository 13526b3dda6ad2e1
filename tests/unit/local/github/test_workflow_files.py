"""Which events start a workflow, and which rights it gets."""

from __future__ import annotations

import pytest

from mlops_core.local.github.workflows import BadWorkflowError, Workflow, exceeding, permission_map

MAIN = "refs/heads/main"


def workflow(on: str, rest: str = "jobs: {a: {runs-on: x}}") -> Workflow:
    return Workflow.parse(".github/workflows/w.yml", f"on: {on}\n{rest}")


@pytest.mark.parametrize(
    ("on", "event", "action", "ref", "wanted"),
    [
        ("issues", "issues", "labeled", MAIN, True),
        ("[issues, push]", "push", "", MAIN, True),
        ("{issues: {types: [labeled]}}", "issues", "opened", MAIN, False),
        ("{issues: {types: labeled}}", "issues", "labeled", MAIN, True),
        ("{issue_comment: {types: [created]}}", "issue_comment", "edited", MAIN, False),
        ("pull_request", "pull_request", "closed", MAIN, False),
        ("pull_request", "pull_request", "synchronize", MAIN, True),
        ("{push: {branches: [main, 'release/*']}}", "push", "", "refs/heads/release/1", True),
        ("{push: {branches: [main]}}", "push", "", "refs/heads/topic", False),
        ("{push: {branches: [main]}}", "push", "", "refs/tags/v1", False),
        ("{push: {tags: ['v*']}}", "push", "", "refs/tags/v1", True),
        ("{push: {branches-ignore: [main]}}", "push", "", MAIN, False),
        ("{repository_dispatch: {types: [drift]}}", "repository_dispatch", "drift", MAIN, True),
        ("{repository_dispatch: {types: [drift]}}", "repository_dispatch", "other", MAIN, False),
        ("workflow_call", "issues", "labeled", MAIN, False),
    ],
)
def test_events_types_and_branches_decide(on: str, event: str, action: str, ref: str, wanted: bool) -> None:
    assert workflow(on).wants(event, action, ref) is wanted


def test_permissions_are_the_union_of_the_jobs_and_jobs_override_the_top() -> None:
    jobs = "permissions: {contents: write}\njobs:\n"
    jobs += "  a: {permissions: {issues: write}}\n  b: {permissions: {issues: read, id-token: write}}\n  c: {}\n"
    assert workflow("push", jobs).permissions() == {"issues": "write", "id-token": "write", "contents": "write"}


def test_saying_nothing_gives_the_restricted_default_and_saying_nothing_in_braces_gives_nothing() -> None:
    assert permission_map(None) == {"contents": "read", "packages": "read"}
    assert permission_map({}) == {}
    assert permission_map("write-all")["id-token"] == "write"
    assert "id-token" not in permission_map("read-all")


def test_a_callee_may_not_exceed_its_caller() -> None:
    assert exceeding({"issues": "write", "contents": "read"}, {"issues": "read", "contents": "read"}) == ["issues: write"]


def test_only_jobs_with_id_token_speak_for_a_called_workflow() -> None:
    jobs = "permissions: {}\njobs: {a: {uses: o/r/w.yml@v1, permissions: {id-token: write}}, b: {uses: o/r/x.yml@v1}}"
    assert workflow("push", jobs).token_callers() == {"o/r/w.yml@v1"}


@pytest.mark.parametrize(
    "text", ["a: [", "jobs: {}", "on: push", "on: push\njobs: {a: null}", "on: push\npermissions: {issues: all}\njobs: {a: {}}"]
)
def test_what_is_no_workflow_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(BadWorkflowError):
        Workflow.parse("w.yml", text).permissions()
