"""The GitHub adapter against a scripted host: limits, faults, moved heads, protected branches, comments of others."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops_core import errors
from mlops_core.adapters.github_client import FixedToken, GithubClient
from mlops_core.adapters.in_memory.services import SetClock
from mlops_core.adapters.repository_github import GithubRepository

Reply = tuple[int, dict[str, str], object]
OK: dict[str, str] = {}


class Host:
    """Answers by (method, path); lists answer one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], list[Reply]] = {}
        self.seen: list[tuple[str, str, Any]] = []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                path = self.path.partition("?")[0]
                host.seen.append((self.command, path, body))
                queue = host.replies.get((self.command, path), [(404, OK, {"message": "Not Found"})])
                status, headers, content = queue.pop(0) if len(queue) > 1 else queue[0]
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 (the base class's names)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Script a path."""
        self.replies[method, path] = list(replies)

    def count(self, method: str, path: str) -> int:
        """How often a path was asked."""
        return sum((method, path) == (found, where) for found, where, _ in self.seen)


@pytest.fixture
def host() -> Iterator[Host]:
    """A host."""
    made = Host()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


def repository(host: Host) -> GithubRepository:
    """The adapter over it; waiting costs no time."""
    clock = SetClock()
    return GithubRepository(GithubClient(FixedToken("t"), api_url=host.url, clock=clock), clock)


PERMISSION = "/repos/o/r/collaborators/ana/permission"
GOOD: Reply = (200, OK, {"permission": "write", "role_name": "maintain", "user": {"login": "ana", "type": "User"}})


def test_a_role_name_is_finer_than_the_permission(host: Host) -> None:
    host.on("GET", PERMISSION, GOOD)
    found = repository(host).permission("o/r", "ana")
    assert (found.level, found.human) == ("maintain", True)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_abuse_row_51_a_read_is_tried_three_times(host: Host, status: int) -> None:
    host.on("GET", PERMISSION, (status, OK, b"<html>unicorn"), (status, OK, b""), GOOD)
    assert repository(host).permission("o/r", "ana").level == "maintain"
    host.on("GET", PERMISSION, (status, OK, b"<html>unicorn"))
    with pytest.raises(errors.Unavailable):
        repository(host).permission("o/r", "ana")
    assert host.count("GET", PERMISSION) == 6


@pytest.mark.parametrize("body", [b"<html>", b'{"permission": "wri', b"[]", b'{"permission": "owner", "user": {}}', b"{}"])
def test_abuse_row_31_an_answer_of_another_shape_is_no_permission(host: Host, body: bytes) -> None:
    host.on("GET", PERMISSION, (200, OK, body))
    with pytest.raises(errors.MlopsError):
        repository(host).permission("o/r", "ana")


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        ((403, OK, {"message": "You have exceeded a secondary rate limit"}), 60.0),
        ((429, {"Retry-After": "17"}, {"message": "slow"}), 17.0),
        ((403, {"Retry-After": "90"}, {"message": "slow"}), 90.0),
    ],
)
def test_abuse_row_52_limits_say_how_long_to_wait(host: Host, reply: Reply, wait: float) -> None:
    host.on("POST", "/repos/o/r/issues/7/comments", reply)
    with pytest.raises(errors.Throttled) as caught:
        repository(host).comment("o/r", 7, "x")
    assert caught.value.retry_after == wait
    assert host.count("POST", "/repos/o/r/issues/7/comments") == 1


def test_abuse_row_53_an_empty_primary_limit_waits_for_its_reset(host: Host) -> None:
    import time

    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 600)}
    host.on("GET", PERMISSION, (403, headers, {"message": "API rate limit exceeded"}))
    with pytest.raises(errors.Throttled) as caught:
        repository(host).permission("o/r", "ana")
    assert caught.value.retry_after is not None
    assert 500 < caught.value.retry_after <= 600


def comment(number: int, body: str, kind: str = "Bot") -> dict[str, Any]:
    """A comment as GitHub lists it."""
    return {"id": number, "html_url": f"https://x/{number}", "body": body, "user": {"login": "x", "type": kind}}


COMMENTS = "/repos/o/r/issues/7/comments"


def test_our_comment_is_edited_and_a_persons_copy_of_the_marker_is_not(host: Host) -> None:
    host.on("GET", COMMENTS, (200, OK, [comment(1, "<!-- m --> mine", "User"), comment(2, "<!-- m --> old")]))
    host.on("PATCH", "/repos/o/r/issues/comments/2", (200, OK, comment(2, "<!-- m --> new")))
    assert repository(host).upsert_comment("o/r", 7, "<!-- m -->", "<!-- m --> new").id == 2
    assert host.count("POST", COMMENTS) == 0


@pytest.mark.parametrize("status", [404, 403])
def test_abuse_row_54_a_comment_deleted_meanwhile_or_not_ours_is_made_anew(host: Host, status: int) -> None:
    host.on("GET", COMMENTS, (200, OK, [comment(2, "<!-- m --> old")]))
    host.on("PATCH", "/repos/o/r/issues/comments/2", (status, OK, {"message": "no"}))
    host.on("POST", COMMENTS, (201, OK, comment(3, "new")))
    assert repository(host).upsert_comment("o/r", 7, "<!-- m -->", "<!-- m --> new").id == 3


def branch(host: Host, *heads: str) -> None:
    """The default branch, its heads one after the other, and a file."""
    host.on("GET", "/repos/o/r", (200, OK, {"default_branch": "main"}))
    host.on("GET", "/repos/o/r/git/ref/heads/main", *[(200, OK, {"object": {"sha": head}}) for head in heads])
    content = {"type": "file", "encoding": "base64", "size": 2, "content": base64.b64encode(b"hi").decode()}
    host.on("GET", "/repos/o/r/contents/a.txt", (200, OK, content))


STALE: Reply = (200, OK, {"data": None, "errors": [{"type": "STALE_DATA", "message": "Expected branch to point to…"}]})
MADE: Reply = (200, OK, {"data": {"createCommitOnBranch": {"commit": {"oid": "f" * 40}}}})


def appended() -> Callable[..., dict[str, bytes | None]]:
    """A builder that reads before it writes."""
    return lambda read: {"a.txt": (read("a.txt") or b"") + b"!", "gone.txt": None}


def test_abuse_row_49_a_moved_head_is_read_again_and_the_change_applied_anew(host: Host) -> None:
    branch(host, "1" * 40, "2" * 40, "3" * 40)
    host.on("POST", "/graphql", STALE, STALE, MADE)
    assert repository(host).commit("o/r", "Add\n\nwhy", appended()).commit == "f" * 40
    sent = [body["variables"]["input"] for _, path, body in host.seen if path == "/graphql"]
    assert [item["expectedHeadOid"][0] for item in sent] == ["1", "2", "3"]
    assert sent[0]["fileChanges"]["additions"] == [{"path": "a.txt", "contents": base64.b64encode(b"hi!").decode()}]
    assert sent[0]["fileChanges"]["deletions"] == [{"path": "gone.txt"}]


def test_abuse_row_49_a_head_that_never_rests_is_given_up_after_five_tries(host: Host) -> None:
    branch(host, "1" * 40)
    host.on("POST", "/graphql", STALE)
    with pytest.raises(errors.Stale):
        repository(host).commit("o/r", "Add", appended())
    assert host.count("POST", "/graphql") == 5


def test_abuse_row_50_a_protected_branch_gets_a_pull_request(host: Host) -> None:
    branch(host, "1" * 40)
    refusal: Reply = (200, OK, {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Protected branch rules not satisfied"}]})
    host.on("POST", "/graphql", refusal, MADE)
    host.on("POST", "/repos/o/r/git/refs", (201, OK, {}))
    host.on("POST", "/repos/o/r/pulls", (201, OK, {"html_url": "https://github.com/o/r/pull/9"}))
    made = repository(host).commit("o/r", "Add", appended())
    assert made.pull_request == "https://github.com/o/r/pull/9"


def test_nothing_to_change_makes_no_commit(host: Host) -> None:
    branch(host, "1" * 40)
    assert repository(host).commit("o/r", "Add", lambda _: {}).commit == "1" * 40
    assert host.count("POST", "/graphql") == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.Unauthorized), (403, errors.Unauthorized), (404, errors.NotFound), (410, errors.NotFound), (422, errors.InvalidRequest)],
)
def test_other_answers_have_their_class(host: Host, status: int, kind: type[errors.MlopsError]) -> None:
    host.on("GET", "/repos/o/r/issues/7", (status, OK, {"message": "no"}))
    with pytest.raises(kind):
        repository(host).issue("o/r", 7)


def test_abuse_row_39_a_moved_issue_is_not_found(host: Host) -> None:
    moved = {"number": 7, "url": f"{host.url}/repos/o/other/issues/3", "state": "open", "html_url": ""}
    host.on("GET", "/repos/o/r/issues/7", (200, OK, moved))
    with pytest.raises(errors.NotFound):
        repository(host).issue("o/r", 7)
