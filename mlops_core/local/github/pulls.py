"""Pull requests between branches of one repository.

    pull = pulls.create(repository, identity, {"title": "Promote", "head": "mlops/promote", "base": "main"})
    pulls.merge(repository, pull, identity, {"merge_method": "squash"})

Requests from forks are not modelled and refused by name.
"""

from __future__ import annotations

from typing import Any

from mlops_core.local.github.answers import ApiError, not_found, refused
from mlops_core.local.github.database import Database, Row, now
from mlops_core.local.github.events import Events
from mlops_core.local.github.git import GitRepository, MergeConflictError
from mlops_core.local.github.git_history import ChangedFile, Commit, changed_files, commits, merge_trees
from mlops_core.local.github.identity import Identity
from mlops_core.local.github.issues import Issues
from mlops_core.local.github.repositories import Repositories
from mlops_core.local.github.shapes import Json, Shapes

_REVIEWS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


class Pulls:
    """Every pull request; a row is its issue joined with its branches."""

    def __init__(self, database: Database, repositories: Repositories, issues: Issues, events: Events, shapes: Shapes) -> None:
        self._database = database
        self._repositories = repositories
        self._issues = issues
        self._events = events
        self._shapes = shapes

    def find(self, repository: Row, number: int) -> Row:
        """One pull request; a 404 when the number is an issue's."""
        query = "select issues.*, pulls.* from issues join pulls on pulls.issue = issues.id where repository = ? and number = ?"
        row = self._database.row(query, repository["id"], number)
        if row is None:
            raise not_found()
        return row

    def select(self, repository: Row, *, state: str = "open", head: str = "", base: str = "") -> list[Row]:
        """Newest first; ``head`` is ``owner:branch`` or a branch."""
        query = "select issues.*, pulls.* from issues join pulls on pulls.issue = issues.id where repository = ? order by number desc"
        rows = self._database.rows(query, repository["id"])
        branch = head.rpartition(":")[2]
        return [row for row in rows if state in {"all", row["state"]} and branch in {"", row["head_ref"]} and base in {"", row["base_ref"]}]

    def create(self, repository: Row, identity: Identity, wish: dict[str, Any]) -> Row:
        """Open a pull request; the same head and base twice, or nothing to merge, is a 422."""
        owner, _, head = str(wish.get("head") or "").rpartition(":")
        base = str(wish.get("base") or "")
        if owner and owner.lower() != repository["owner"].lower():
            raise refused("PullRequest", "head", "invalid", "forks are not modelled by the local GitHub")
        git = self._repositories.git(repository)
        shas = {name: git.resolve(f"refs/heads/{branch}") for name, branch in (("head", head), ("base", base))}
        for name, sha in shas.items():
            if sha is None:
                raise refused("PullRequest", name, "invalid")
        if self.select(repository, head=head, base=base):
            raise refused("PullRequest", "base", "custom", f"A pull request already exists for {repository['owner']}:{head}.")
        if git.is_ancestor(str(shas["head"]), str(shas["base"])):
            raise refused("PullRequest", "head", "custom", f"No commits between {base} and {head}")
        with self._database.transaction():
            issue = self._issues.insert(repository, identity, wish.get("title"), wish.get("body"), pull=True)
            self._database.insert(
                "pulls", issue=issue["id"], head_ref=head, base_ref=base, head_sha=shas["head"], base_sha=shas["base"],
                draft=int(bool(wish.get("draft"))),
            )  # fmt: skip
            pull = self.find(repository, issue["number"])
            self.tell(repository, pull, "opened", identity)
            return pull

    def tell(self, repository: Row, pull: Row, action: str, identity: Identity, **more: Any) -> None:
        """Emit ``pull_request``; its workflows run at the head commit."""
        fresh = self.find(repository, pull["number"])
        at = (f"refs/pull/{pull['number']}/head", fresh["head_sha"])
        shape = self.shape(repository, fresh, full=True)
        self._events.emit(repository, "pull_request", action, identity, number=pull["number"], pull_request=shape, at=at, **more)

    def branch_moved(self, repository: Row, identity: Identity, branch: str) -> None:
        """Follow a pushed branch: open requests from it get its new head; ones whose branch is gone are closed."""
        sha = self._repositories.git(repository).resolve(f"refs/heads/{branch}")
        for pull in self.select(repository, head=branch):
            if sha is None:
                self.set_state(repository, pull, identity, "closed")
            elif sha != pull["head_sha"]:
                before = pull["head_sha"]
                self._database.run("update pulls set head_sha = ? where issue = ?", sha, pull["id"])
                self.tell(repository, pull, "synchronize", identity, before=before, after=sha)

    def edit(self, repository: Row, pull: Row, identity: Identity, wish: dict[str, Any]) -> Row:
        """Change title, body, base or state."""
        if wish.get("base"):
            self._database.run("update pulls set base_ref = ? where issue = ?", str(wish["base"]), pull["id"])
        text: dict[str, Any] = {key: wish[key] for key in ("title", "body") if key in wish}
        if text:
            self._issues.edit(repository, pull, identity, text)
            self.tell(repository, pull, "edited", identity, changes={})
        if wish.get("state"):
            self.set_state(repository, pull, identity, wish["state"])
        return self.find(repository, pull["number"])

    def set_state(self, repository: Row, pull: Row, identity: Identity, state: str) -> None:
        """Close or reopen without merging."""
        if pull["merged_at"] and state == "open":
            raise refused("PullRequest", "state", "invalid", "a merged pull request cannot be reopened")
        if pull["state"] != state:
            self._issues.set_state(repository, pull, identity, state)
            self.tell(repository, pull, "closed" if state == "closed" else "reopened", identity)

    def git(self, repository: Row) -> GitRepository:
        """The repository's objects."""
        return self._repositories.git(repository)

    def base_head(self, repository: Row, pull: Row) -> tuple[str, str]:
        """Merge base and head: what the request's diff spans."""
        if pull["merged_at"]:
            return pull["base_sha"], pull["head_sha"]
        git = self.git(repository)
        tip = git.resolve(f"refs/heads/{pull['base_ref']}") or pull["base_sha"]
        return git.merge_base(tip, pull["head_sha"]) or tip, pull["head_sha"]

    def files(self, repository: Row, pull: Row) -> list[ChangedFile]:
        """The changed files."""
        return changed_files(self.git(repository), *self.base_head(repository, pull))

    def commits(self, repository: Row, pull: Row) -> list[Commit]:
        """The request's own commits, oldest first."""
        base, head = self.base_head(repository, pull)
        return list(reversed(commits(self.git(repository), head, exclude=base, limit=250)))

    def mergeable(self, repository: Row, pull: Row) -> bool:
        """Whether a merge now would meet no conflict."""
        git = self.git(repository)
        tip = git.resolve(f"refs/heads/{pull['base_ref']}")
        try:
            return pull["state"] == "open" and tip is not None and bool(merge_trees(git, tip, pull["head_sha"]))
        except MergeConflictError:
            return False

    def merge(self, repository: Row, pull: Row, identity: Identity, wish: dict[str, Any]) -> tuple[str, str]:
        """Merge (or squash) into the base branch; (before, after) of the base.  A conflict is a 405, a moved head a 409."""
        method = wish.get("merge_method") or "merge"
        if method not in {"merge", "squash"}:
            raise refused("PullRequest", "merge_method", "invalid", f"{method!r} is not modelled; use merge or squash")
        if pull["state"] != "open" or pull["draft"]:
            raise ApiError(405, "Pull Request is not mergeable")
        if wish.get("sha") and wish["sha"] != pull["head_sha"]:
            raise ApiError(409, "Head branch was modified. Review and try the merge again.")
        git = self.git(repository)
        tip = git.resolve(f"refs/heads/{pull['base_ref']}") or ""
        try:
            tree = merge_trees(git, tip, pull["head_sha"])
        except MergeConflictError as error:
            raise ApiError(405, f"Pull Request is not mergeable: {error}") from error
        sha = git.commit(tree, [tip] if method == "squash" else [tip, pull["head_sha"]], self._message(repository, pull, identity, wish))
        with self._database.transaction():
            self._repositories.move_branch(repository, pull["base_ref"], sha, tip)
            self._database.run(
                "update pulls set merged_at = ?, merged_by = ?, merge_sha = ?, base_sha = ? where issue = ?",
                now(), identity.login, sha, git.merge_base(tip, pull["head_sha"]) or tip, pull["id"],
            )  # fmt: skip
            self._issues.set_state(repository, pull, identity, "closed")
            self.tell(repository, pull, "closed", identity)
        return tip, sha

    def _message(self, repository: Row, pull: Row, identity: Identity, wish: dict[str, Any]) -> Any:
        squash = wish.get("merge_method") == "squash"
        default = (
            f"{pull['title']} (#{pull['number']})"
            if squash
            else f"Merge pull request #{pull['number']} from {repository['owner']}/{pull['head_ref']}"
        )
        text = f"{wish.get('commit_title') or default}\n\n{wish.get('commit_message') or pull['title']}"
        return self._repositories.authorship(identity, text)

    def review(self, repository: Row, pull: Row, identity: Identity, wish: dict[str, Any]) -> Row:
        """Approve, ask for changes or comment; nobody approves their own request."""
        event = wish.get("event") or "COMMENT"
        if event not in _REVIEWS:
            raise refused("PullRequestReview", "event", "invalid", f"{event!r} is not one of {', '.join(_REVIEWS)}")
        if event != "COMMENT" and identity.login == pull["author"]:
            raise ApiError(422, f"Can not {event.lower().replace('_', ' ')} your own pull request")
        key = self._database.insert(
            "reviews", issue=pull["id"], author=identity.login, state=_REVIEWS[event], body=str(wish.get("body") or ""),
            commit_id=str(wish.get("commit_id") or pull["head_sha"]), submitted_at=now(),
        )  # fmt: skip
        row = self._database.row("select * from reviews where id = ?", key)
        review = self.review_shape(repository, pull, row or {})
        review["state"] = review["state"].lower()
        shape = self.shape(repository, pull)
        self._events.emit(repository, "pull_request_review", "submitted", identity, review=review, pull_request=shape)
        return row or {}

    def reviews(self, pull: Row) -> list[Row]:
        """Oldest first."""
        return self._database.rows("select * from reviews where issue = ? order by id", pull["id"])

    def review_shape(self, repository: Row, pull: Row, row: Row) -> Json:
        """A review as JSON."""
        page = f"{self._shapes.repo_page(repository)}/pull/{pull['number']}"
        url = f"{self._shapes.repo_url(repository)}/pulls/{pull['number']}"
        links = {"html": {"href": page}, "pull_request": {"href": url}}
        return {
            "id": row["id"], "node_id": f"PRR_{row['id']}", "user": self._shapes.user(row["author"]), "body": row["body"],
            "state": row["state"],
            "html_url": f"{page}#pullrequestreview-{row['id']}", "pull_request_url": url, "_links": links,
            "submitted_at": row["submitted_at"],
            "commit_id": row["commit_id"], "author_association": self._shapes.association(repository, row["author"]),
        }  # fmt: skip

    def shape(self, repository: Row, pull: Row, *, full: bool = False) -> Json:
        """A pull request as JSON; ``full`` adds what the single answer has (mergeable, counts)."""
        shapes = self._shapes
        url, page = f"{shapes.repo_url(repository)}/pulls/{pull['number']}", f"{shapes.repo_page(repository)}/pull/{pull['number']}"
        issue = shapes.issue(repository, pull)
        drop = {
            "pull_request",
            "reactions",
            "timeline_url",
            "events_url",
            "labels_url",
            "state_reason",
            "repository_url",
            "closed_by",
            "comments",
        }
        base = {key: value for key, value in issue.items() if key not in drop | {"performed_via_github_app"}}
        statuses, comment = (
            f"{shapes.repo_url(repository)}/statuses/{pull['head_sha']}",
            f"{shapes.repo_url(repository)}/pulls/comments{{/number}}",
        )
        links = {"self": url, "html": page, "issue": issue["url"], "comments": issue["comments_url"], "commits": f"{url}/commits"}
        links |= {"statuses": statuses, "review_comments": f"{url}/comments", "review_comment": comment}
        shape = {
            **base, "url": url, "node_id": f"PR_{pull['id']}", "html_url": page, "issue_url": issue["url"], "draft": bool(pull["draft"]),
            "diff_url": f"{page}.diff", "patch_url": f"{page}.patch", "commits_url": f"{url}/commits",
            "review_comments_url": f"{url}/comments",
            "review_comment_url": f"{shapes.repo_url(repository)}/pulls/comments{{/number}}", "comments_url": issue["comments_url"],
            "statuses_url": f"{shapes.repo_url(repository)}/statuses/{pull['head_sha']}", "merged_at": pull["merged_at"],
            "merge_commit_sha": pull["merge_sha"], "requested_reviewers": [], "requested_teams": [], "auto_merge": None,
            "head": self._side(repository, pull["head_ref"], pull["head_sha"]),
            "base": self._side(repository, pull["base_ref"], pull["base_sha"]),
            "_links": {name: {"href": href} for name, href in links.items()},
        }  # fmt: skip
        if full:
            files = self.files(repository, pull)
            mergeable = None if pull["merged_at"] else self.mergeable(repository, pull)
            counts = {"additions": sum(item.additions for item in files), "deletions": sum(item.deletions for item in files)}
            state = {
                "mergeable": mergeable,
                "mergeable_state": "clean" if mergeable else "dirty",
                "rebaseable": False,
                "comments": issue["comments"],
            }
            shape |= {**counts, **state, "changed_files": len(files), "commits": len(self.commits(repository, pull)), "review_comments": 0}
            merger = shapes.user(pull["merged_by"]) if pull["merged_by"] else None
            shape |= {"maintainer_can_modify": False, "merged": bool(pull["merged_at"]), "merged_by": merger}
        return shape

    def _side(self, repository: Row, ref: str, sha: str) -> Json:
        label = f"{repository['owner']}:{ref}"
        return {
            "label": label,
            "ref": ref,
            "sha": sha,
            "user": self._shapes.user(repository["owner"]),
            "repo": self._shapes.repository(repository),
        }
