"""The repository port over GitHub.

Comments of ours are those of a bot: a person cannot make us edit theirs by writing our marker into it.  Commits are made by
``createCommitOnBranch`` with ``expectedHeadOid``: atomic, signed by GitHub, refused when the head moved (then read again, at most five
tries); a branch that refuses us gets a pull request instead.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_core.adapters.github_client import GithubClient
from mlops_core.errors import Conflict, Defect, InvalidRequest, NotFound, Refused, Stale, Unauthorized, Unavailable
from mlops_core.facts import CommentFacts, CommitFacts, IssueFacts, Level, Permission
from mlops_core.ports import Builder, Clock

_TRIES = 5
_MAX_FILE_BYTES = 20 << 20
_LEVELS: tuple[Level, ...] = ("admin", "maintain", "write", "triage", "read", "none")
_COMMIT = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }"
_EDITS = (
    "query($owner: String!, $name: String!, $number: Int!) "
    "{ repository(owner: $owner, name: $name) { issue(number: $number) { lastEditedAt } } }"
)


class GithubRepository:
    """GitHub as the capabilities see it."""

    def __init__(self, client: GithubClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def permission(self, repository: str, login: str) -> Permission:
        """A person's permission; an unknown person has none, everything that cannot be verified raises."""
        try:
            found = self._client.call(repository, "GET", f"/repos/{repository}/collaborators/{login}/permission")
        except NotFound:
            return Permission("none", human=False)
        told = found if isinstance(found, dict) else {}
        level = told.get("role_name") if told.get("role_name") in _LEVELS else told.get("permission")
        user = told.get("user")
        if level not in _LEVELS or not isinstance(user, dict):
            raise Unavailable(f"GitHub's answer about the permission of {login!r} could not be read.", remedy="Set the label again.")
        return Permission(level, human=user.get("type") == "User")

    def issue(self, repository: str, number: int) -> IssueFacts:
        """One issue; `NotFound` when it is gone or moved."""
        found = self._client.call(repository, "GET", f"/repos/{repository}/issues/{number}")
        if not str(found.get("url", "")).lower().endswith(f"/repos/{repository}/issues/{number}".lower()):
            raise NotFound(f"issue {repository}#{number} was moved to another repository.")
        return _issue(found)

    def labeled(self, repository: str, label: str) -> list[IssueFacts]:
        """Open issues that carry a label, each with who set it and when, and when the body changed last."""
        found = self._client.pages(repository, f"/repos/{repository}/issues", query={"state": "open", "labels": label})
        return [self._with_label(repository, item, label) for item in found if "pull_request" not in item]

    def _with_label(self, repository: str, item: Mapping[str, Any], label: str) -> IssueFacts:
        events = self._client.pages(repository, f"/repos/{repository}/issues/{item['number']}/events")
        set_by = [event for event in events if event["event"] == "labeled" and event["label"]["name"] == label]
        last = set_by[-1] if set_by else {}
        owner, _, name = repository.partition("/")
        answer = self._client.graphql(repository, _EDITS, {"owner": owner, "name": name, "number": item["number"]})
        edited = (((answer.get("data") or {}).get("repository") or {}).get("issue") or {}).get("lastEditedAt")
        actor = (last.get("actor") or {}).get("login", "")
        return _issue(item, label_actor=actor, labeled_at=str(last.get("created_at") or ""), edited_at=str(edited or ""))

    def upsert_comment(self, repository: str, issue: int, marker: str, body: str) -> CommentFacts:
        """Edit our comment that holds the hidden marker, or make one when there is none of ours."""
        for item in self._client.pages(repository, f"/repos/{repository}/issues/{issue}/comments"):
            ours = (item.get("user") or {}).get("type") == "Bot"
            if ours and marker in (item.get("body") or ""):
                path = f"/repos/{repository}/issues/comments/{item['id']}"
                if item["body"] == body:
                    return _comment(item)
                try:
                    return _comment(self._client.call(repository, "PATCH", path, body={"body": body}))
                except (NotFound, Unauthorized):
                    # Deleted meanwhile, or made by another bot: a new one of our own takes its place.
                    break
        return self.comment(repository, issue, body)

    def comment(self, repository: str, issue: int, body: str) -> CommentFacts:
        """Make a comment."""
        return _comment(self._client.call(repository, "POST", f"/repos/{repository}/issues/{issue}/comments", body={"body": body}))

    def open_issue(self, repository: str, title: str, body: str, labels: Sequence[str]) -> int:
        """Make an issue and return its number."""
        request = {"title": title, "body": body, "labels": list(labels)}
        return int(self._client.call(repository, "POST", f"/repos/{repository}/issues", body=request)["number"])

    def relabel(self, repository: str, issue: int, *, add: Sequence[str], remove: Sequence[str] = ()) -> None:
        """Remove labels (no error when absent), then add others: who sees the new label finds the old one gone."""
        path = f"/repos/{repository}/issues/{issue}/labels"
        for label in remove:
            try:
                self._client.call(repository, "DELETE", f"{path}/{label}")
            except NotFound:
                continue
        if add:
            self._client.call(repository, "POST", path, body={"labels": list(add)})

    def close(self, repository: str, issue: int) -> None:
        """Close an issue as completed."""
        self._client.call(repository, "PATCH", f"/repos/{repository}/issues/{issue}", body={"state": "closed", "state_reason": "completed"})

    def head(self, repository: str) -> str:
        """The commit at the head of the default branch."""
        return self._head(repository, self._branch(repository))

    def read(self, repository: str, path: str, ref: str = "") -> bytes | None:
        """A file at a commit (the default branch's head when empty), None when it does not exist."""
        try:
            found = self._client.call(repository, "GET", f"/repos/{repository}/contents/{path}", query={"ref": ref} if ref else None)
        except NotFound:
            return None
        if not isinstance(found, dict) or found.get("type") != "file" or found.get("size", 0) > _MAX_FILE_BYTES:
            raise InvalidRequest(f"{path} in {repository} is no file of at most {_MAX_FILE_BYTES >> 20} MB.")
        if found.get("encoding") != "base64":
            found = self._client.call(repository, "GET", f"/repos/{repository}/git/blobs/{found['sha']}")
        return base64.b64decode(found["content"])

    def commit(self, repository: str, message: str, build: Builder) -> CommitFacts:
        """Commit files on the default branch on top of the head they were built from, at most 5 tries on a moving head."""
        branch = self._branch(repository)
        for attempt in range(_TRIES):
            head = self._head(repository, branch)
            changes = build(lambda path, head=head: self.read(repository, path, head))  # type: ignore[misc]
            if not changes:
                return CommitFacts(head)
            answer = self._commit_on(repository, branch, head, message, changes)
            kinds = {str(item.get("type", "")) for item in answer.get("errors", [])}
            texts = " ".join(str(item.get("message", "")) for item in answer.get("errors", []))
            if not kinds:
                return CommitFacts(_oid(answer))
            if "STALE_DATA" in kinds:
                self._clock.sleep(0.05 * 2**attempt)
                continue
            if "protected" in texts.lower() or "FORBIDDEN" in kinds or "rule" in texts.lower():
                return self._propose(repository, branch, head, message, changes)
            raise Refused(f"GitHub refused the commit to {repository}: {texts[:300]}", code="E-GITHUB-COMMIT")
        raise Stale(f"the head of {repository} moved {_TRIES} times while committing.", remedy="Call again.", code="E-GITHUB-STALE")

    def _propose(self, repository: str, branch: str, head: str, message: str, changes: Mapping[str, bytes | None]) -> CommitFacts:
        """A pull request with the same changes, on a branch named after them."""
        name = f"mlops/{hashlib.sha256(repr(sorted(changes)).encode() + head.encode()).hexdigest()[:12]}"
        try:
            self._client.call(repository, "POST", f"/repos/{repository}/git/refs", body={"ref": f"refs/heads/{name}", "sha": head})
            answer = self._commit_on(repository, name, head, message, changes)
        except (InvalidRequest, Conflict):
            answer = {"data": {"createCommitOnBranch": {"commit": {"oid": self._head(repository, name)}}}}
        request = {"title": message.partition("\n")[0], "head": name, "base": branch, "body": "The default branch is protected."}
        try:
            made = self._client.call(repository, "POST", f"/repos/{repository}/pulls", body=request)
        except InvalidRequest:
            owner = repository.partition("/")[0]
            made = self._client.call(repository, "GET", f"/repos/{repository}/pulls", query={"head": f"{owner}:{name}", "state": "open"})[0]
        return CommitFacts(_oid(answer), pull_request=str(made["html_url"]))

    def _commit_on(self, repository: str, branch: str, head: str, message: str, changes: Mapping[str, bytes | None]) -> dict[str, Any]:
        headline, _, rest = message.partition("\n")
        additions = [
            {"path": path, "contents": base64.b64encode(body).decode()} for path, body in sorted(changes.items()) if body is not None
        ]
        deletions = [{"path": path} for path, body in sorted(changes.items()) if body is None]
        given = {
            "branch": {"repositoryNameWithOwner": repository, "branchName": branch},
            "message": {"headline": headline, "body": rest.strip()},
            "fileChanges": {"additions": additions, "deletions": deletions},
            "expectedHeadOid": head,
        }
        return self._client.graphql(repository, _COMMIT, {"input": given})

    def _branch(self, repository: str) -> str:
        return str(self._client.call(repository, "GET", f"/repos/{repository}")["default_branch"])

    def _head(self, repository: str, branch: str) -> str:
        return str(self._client.call(repository, "GET", f"/repos/{repository}/git/ref/heads/{branch}")["object"]["sha"])


def _oid(answer: Mapping[str, Any]) -> str:
    try:
        return str(answer["data"]["createCommitOnBranch"]["commit"]["oid"])
    except (KeyError, TypeError) as error:
        raise Defect("GitHub's answer to a commit names no commit.") from error


def _comment(item: Mapping[str, Any]) -> CommentFacts:
    return CommentFacts(int(item["id"]), str(item["html_url"]))


def _issue(found: Mapping[str, Any], *, label_actor: str = "", labeled_at: str = "", edited_at: str = "") -> IssueFacts:
    return IssueFacts(
        number=int(found["number"]),
        title=str(found.get("title") or ""),
        body=str(found.get("body") or ""),
        author=(found.get("user") or {}).get("login", "ghost"),
        state="open" if found["state"] == "open" else "closed",
        labels=tuple(item["name"] for item in found.get("labels", [])),
        url=str(found["html_url"]),
        label_actor=label_actor,
        labeled_at=labeled_at,
        edited_at=edited_at,
    )
