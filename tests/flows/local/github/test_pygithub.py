"""PyGithub, an independent client, drives the REST and GraphQL calls of the product."""

from __future__ import annotations

import base64
import http.server
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from github import Auth, Github, GithubException, GithubIntegration, InputGitTreeElement, UnknownObjectException  # noqa: TID251

from mlops_core.local.github.hooks import signature

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

pytestmark = [pytest.mark.flow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def test_an_issue_lives_from_creation_to_close(platform: Platform) -> None:
    repository = platform.repository("wendy")
    issue = repository.create_issue("A title", "the body", labels=["bug"])
    assert [label.name for label in issue.labels] == ["bug"]
    issue.add_to_labels("mlops:train")
    comment = issue.create_comment("first")
    comment.edit("second")
    assert [item.body for item in issue.get_comments()] == ["second"]
    assert repository.get_issue(issue.number).comments == 1
    issue.remove_from_labels("bug")
    issue.edit(state="closed", state_reason="completed")
    assert repository.get_issue(issue.number).state == "closed"
    events = list(issue.get_events())
    assert [event.event for event in events] == ["labeled", "labeled", "unlabeled", "closed"]
    assert events[1].actor.login == "wendy"
    assert events[1].created_at is not None
    assert [item.event for item in issue.get_timeline()].count("commented") == 1
    assert issue.number not in [item.number for item in repository.get_issues(state="open")]
    assert [item.number for item in repository.get_issues(state="closed", labels=["mlops:train"])] == [issue.number]
    comment.delete()
    assert list(issue.get_comments()) == []


def test_a_comment_beyond_the_limit_is_refused(platform: Platform) -> None:
    """abuse row 54: the limit of GitHub is the limit here."""
    issue = platform.repository("wendy").create_issue("long")
    issue.create_comment("x" * 65_536)
    with pytest.raises(GithubException) as caught:
        issue.create_comment("x" * 65_537)
    assert caught.value.status == 422
    assert "too long" in str(caught.value.data)


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("alice", "admin", "admin"),
        ("wendy", "write", "write"),
        ("tina", "read", "triage"),
        ("rita", "read", "read"),
        ("stranger", "read", "read"),
    ],
)
def test_permission_and_role_name_differ_for_triage(platform: Platform, login: str, permission: str, role: str) -> None:
    repository = platform.repository("alice")
    assert repository.get_collaborator_permission(login) == permission
    assert repository.get_collaborator_role_name(login) == role


def test_the_permission_of_an_unknown_login_is_not_found(platform: Platform) -> None:
    """abuse row 31: a 404 must not read as a permission."""
    with pytest.raises(GithubException) as caught:
        platform.repository("alice").get_collaborator_permission("nobody-at-all")
    assert caught.value.status == 404


def test_a_reader_may_open_but_not_label(platform: Platform) -> None:
    issue = platform.repository("rita").create_issue("by a reader", labels=["mlops:train"])
    assert issue.labels == []
    with pytest.raises(GithubException) as caught:
        issue.add_to_labels("mlops:train")
    assert caught.value.status == 403


def test_a_false_token_is_nobody(platform: Platform) -> None:
    with pytest.raises(GithubException) as caught:
        platform.client("ghp_false").get_repo("alice/models").create_issue("x")
    assert caught.value.status == 401


def test_files_are_written_read_replaced_and_removed(platform: Platform) -> None:
    repository = platform.repository("wendy")
    made = repository.create_file("folder/a.txt", "add a", b"one\n")
    assert repository.get_contents("folder/a.txt").decoded_content == b"one\n"  # type: ignore[union-attr]
    repository.update_file("folder/a.txt", "change a", b"two\n", made["content"].sha)
    with pytest.raises(GithubException) as caught:
        repository.update_file("folder/a.txt", "stale", b"three\n", made["content"].sha)
    assert caught.value.status == 409
    current = repository.get_contents("folder/a.txt")
    repository.delete_file("folder/a.txt", "remove a", current.sha)  # type: ignore[union-attr]
    with pytest.raises(UnknownObjectException):
        repository.get_contents("folder/a.txt")
    assert [commit.commit.message for commit in repository.get_commits(path="folder/a.txt")] == ["remove a", "change a", "add a"]


def test_git_data_makes_a_branch_and_a_commit(platform: Platform) -> None:
    repository = platform.repository("wendy")
    head = repository.get_branch("main").commit
    repository.create_git_ref("refs/heads/topic", head.sha)
    tree = repository.create_git_tree([InputGitTreeElement("b.txt", "100644", "blob", content="b")], repository.get_git_tree(head.sha))
    commit = repository.create_git_commit("by git data", tree, [repository.get_git_commit(head.sha)])
    reference = repository.get_git_ref("heads/topic")
    reference.edit(commit.sha)
    assert repository.get_contents("b.txt", ref="topic").decoded_content == b"b"  # type: ignore[union-attr]
    comparison = repository.compare("main", "topic")
    assert (comparison.ahead_by, [item.filename for item in comparison.files]) == (1, ["b.txt"])
    reference.delete()


def test_a_pull_request_shows_its_diff_and_merges(platform: Platform) -> None:
    repository = platform.repository("wendy")
    repository.create_git_ref("refs/heads/promote", repository.get_branch("main").commit.sha)
    repository.create_file("production.json", "point to 2", b'{"version": 2}\n', branch="promote")
    pull = repository.create_pull("main", "promote", title="Promote 2", body="please")
    assert [item.filename for item in pull.get_files()] == ["production.json"]
    assert "+{" in next(iter(pull.get_files())).patch
    assert pull.mergeable is True
    with pytest.raises(GithubException):
        pull.create_review(event="APPROVE")
    platform.repository("alice").get_pull(pull.number).create_review(event="APPROVE", body="good")
    assert [review.state for review in pull.get_reviews()] == ["APPROVED"]
    assert pull.merge(merge_method="squash").merged
    assert repository.get_pull(pull.number).merged
    assert repository.get_contents("production.json").decoded_content == b'{"version": 2}\n'  # type: ignore[union-attr]


def _commit(platform: Platform, head: str, path: str, *, login: str = "wendy") -> dict[str, Any]:
    client = platform.client(platform.tokens[login])
    body = {
        "branch": {"repositoryNameWithOwner": "alice/models", "branchName": "main"},
        "message": {"headline": f"record {path}", "body": "why"},
        "fileChanges": {"additions": [{"path": path, "contents": base64.b64encode(b"record").decode()}]}, "expectedHeadOid": head,
    }  # fmt: skip
    _, answer = client.requester.graphql_named_mutation("createCommitOnBranch", body, "commit { oid url signature { isValid } }")
    return answer


def test_a_graphql_commit_moves_the_branch_once_and_says_stale_data_afterwards(platform: Platform) -> None:
    """abuse row 49: a head that moved is told as STALE_DATA."""
    head = platform.repository("wendy").get_branch("main").commit.sha
    oid = _commit(platform, head, "history/1.md")["commit"]["oid"]
    assert platform.repository("wendy").get_branch("main").commit.sha == oid
    with pytest.raises(GithubException) as caught:
        _commit(platform, head, "history/2.md")
    assert caught.value.data["errors"][0]["type"] == "STALE_DATA"


def test_git_verify_commit_accepts_what_the_platform_signed(platform: Platform, tmp_path: Path) -> None:
    _commit(platform, platform.repository("wendy").get_branch("main").commit.sha, "history/signed.md")
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", f"{platform.server.url}/alice/models.git", str(folder)], check=True)
    signers = platform.server.config.folder / "allowed_signers"
    verify = ["git", "-C", str(folder), "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", "HEAD"]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "noreply@github.com" in done.stderr


def test_a_protected_branch_takes_pull_requests_only(platform: Platform) -> None:
    """abuse row 50: branch protection refuses the bot."""
    platform.admin.create_repository("alice", "guarded", files={"README.md": b"# guarded\n"})
    platform.admin.set_permission("alice/guarded", "wendy", "write")
    platform.admin.protect_branch("alice/guarded", "main")
    with pytest.raises(GithubException) as caught:
        platform.repository("wendy", "alice/guarded").create_file("a", "m", b"a")
    assert caught.value.status == 409
    assert "pull request" in str(caught.value.data)


def test_graphql_tells_who_edited_an_issue_and_refuses_other_operations_by_name(platform: Platform) -> None:
    issue = platform.repository("wendy").create_issue("edited", "one")
    query = """query($o: String!, $n: String!, $i: Int!) { repository(owner: $o, name: $n) { issue(number: $i) {
        lastEditedAt editor { login } userContentEdits(first: 5) { totalCount nodes { editedAt editor { login } diff } } } } }"""
    variables = {"o": "alice", "n": "models", "i": issue.number}
    requester = platform.client(platform.tokens["wendy"]).requester
    _, before = requester.graphql_query(query, variables)
    assert before["data"]["repository"]["issue"]["lastEditedAt"] is None
    platform.repository("alice").get_issue(issue.number).edit(body="two")
    _, after = requester.graphql_query(query, variables)
    found = after["data"]["repository"]["issue"]
    assert found["editor"] == {"login": "alice"}
    assert found["userContentEdits"]["nodes"][0]["diff"] == "two"
    with pytest.raises(GithubException, match="viewer"):
        requester.graphql_query("{ viewer { login } }", {})


def test_an_app_gets_no_more_than_it_was_granted(platform: Platform) -> None:
    platform.admin.create_repository("alice", "other", files={"README.md": b"x"})
    platform.admin.create_repository("alice", "hidden", files={"README.md": b"x"}, private=True)
    pem = platform.admin.register_app(
        77, "MLOps", permissions={"issues": "write", "contents": "write"}, installation_id=770, repositories=["alice/models", "alice/other"]
    )
    integration = GithubIntegration(auth=Auth.AppAuth(77, pem), base_url=platform.server.api_url)
    assert integration.get_repo_installation("alice", "models").id == 770
    token = integration.get_access_token(770, permissions={"issues": "write"}).token
    models = platform.client(token).get_repo("alice/models")
    assert models.create_issue("by the app").user.login == "mlops[bot]"
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        models.create_file("x", "y", b"z")
    with pytest.raises(GithubException) as caught:
        integration.get_access_token(770, permissions={"administration": "write"})
    assert caught.value.status == 422
    with pytest.raises(UnknownObjectException):
        platform.client(token).get_repo("alice/hidden")
    foreign = GithubIntegration(auth=Auth.AppAuth(77, platform.admin.register_app(
        78, "Other", permissions={}, installation_id=780, repositories=["alice/models"])), base_url=platform.server.api_url)  # fmt: skip
    with pytest.raises(GithubException) as refused:
        foreign.get_access_token(770)
    assert refused.value.status == 401


class _Receiver(http.server.BaseHTTPRequestHandler):
    received: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - shared on purpose
    fail_first = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 503 if type(self).fail_first else 200
        type(self).fail_first = False
        if status == 200:
            self.received.append(({key.lower(): value for key, value in self.headers.items()}, body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        del args


def test_webhooks_are_signed_repeated_and_redelivered_under_one_id(platform: Platform) -> None:
    """abuse row 41: a redelivery carries the delivery id of the first."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        hook = platform.admin.add_webhook("alice/models", f"http://127.0.0.1:{receiver.server_address[1]}/hook", "s3cret", ["issues"])
        issue = platform.repository("wendy").create_issue("hooked")
        issue.add_to_labels("mlops:train")
        _wait_for(lambda: len(_Receiver.received) == 3)
        by_action = {json.loads(body).get("action", "ping"): (headers, body) for headers, body in _Receiver.received}
        headers, body = by_action["labeled"]
        payload = json.loads(body)
        assert headers["x-hub-signature-256"] == signature("s3cret", body)
        assert (headers["x-github-event"], payload["label"]["name"], payload["sender"]["login"]) == ("issues", "mlops:train", "wendy")
        assert payload["repository"]["full_name"] == "alice/models"
        api = platform.repository("alice")
        deliveries = list(api.get_hook_deliveries(hook))
        labelled = next(item for item in deliveries if item.action == "labeled")
        api.requester.requestJsonAndCheck("POST", f"{api.url}/hooks/{hook}/deliveries/{labelled.id}/attempts")
        _wait_for(lambda: len(_Receiver.received) == 4)
        assert _Receiver.received[3][0]["x-github-delivery"] == headers["x-github-delivery"]
        receiver.shutdown()


def test_a_webhook_is_known_by_its_address_and_may_stand_alone(platform: Platform) -> None:
    platform.admin.create_repository("alice", "hooked", files={"README.md": b"x"})
    first = platform.admin.add_webhook("alice/hooked", "http://127.0.0.1:9/a", "one", ["issues"])
    assert platform.admin.add_webhook("alice/hooked", "http://127.0.0.1:9/a", "two", ["push"]) == first
    second = platform.admin.add_webhook("alice/hooked", "http://127.0.0.1:9/b", "one", alone=True)
    (hook,) = platform.repository("alice", "alice/hooked").get_hooks()
    assert (hook.id, hook.events) == (second, ["*"])


def _wait_for(condition: Any, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_fault_stands_in_for_the_next_answer(platform: Platform) -> None:
    """abuse row 51: clients can be tested against an HTML body and a 502."""
    platform.admin.add_fault(502, method="GET", path="/issues$", body="<html>bad gateway</html>")
    repository = platform.repository("wendy")
    with pytest.raises(GithubException) as caught:
        list(repository.get_issues())
    assert caught.value.status == 502
    assert isinstance(list(repository.get_issues()), list)


def test_an_unknown_route_is_refused_by_name(platform: Platform) -> None:
    client: Github = platform.client(platform.tokens["wendy"])
    with pytest.raises(UnknownObjectException, match="does not offer GET /repos/alice/models/milestones"):
        list(client.get_repo("alice/models").get_milestones())
