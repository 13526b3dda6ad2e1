"""Rows as the JSON that GitHub's REST API and webhooks show.

shapes.issue(repository, row)["labels"][0]["name"]
"""

from __future__ import annotations

import json
from typing import Any

from mlops_core.local.github.database import Database, Row
from mlops_core.local.github.identity import ROLES, Identities

Json = dict[str, Any]
_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


class Shapes:
    """Needs the rows around an object (author, labels) and the origin for its URLs."""

    def __init__(self, database: Database, identities: Identities, url: str) -> None:
        self._database = database
        self._identities = identities
        self.url = url
        self.api = f"{url}/api/v3"

    def user(self, login: str) -> Json:
        """A simple user."""
        person = self._identities.person(login)
        name, api = person["login"], f"{self.api}/users/{person['login']}"
        links = {f"{key}_url": f"{api}/{key}" for key in ("followers", "subscriptions", "organizations", "repos", "received_events")}
        return {
            "login": name, "id": person["id"], "node_id": f"U_{person['id']}", "avatar_url": f"{self.url}/_static/person.svg",
            "gravatar_id": "",
            "url": api, "html_url": f"{self.url}/{name}", "following_url": f"{api}/following{{/other_user}}",
            "gists_url": f"{api}/gists{{/gist_id}}",
            "starred_url": f"{api}/starred{{/owner}}{{/repo}}", "events_url": f"{api}/events{{/privacy}}", **links,
            "type": person["type"], "site_admin": False,
        }  # fmt: skip

    def repo_url(self, repository: Row) -> str:
        """The repository's address in the REST API."""
        return f"{self.api}/repos/{repository['owner']}/{repository['name']}"

    def repo_page(self, repository: Row) -> str:
        """The repository's page."""
        return f"{self.url}/{repository['owner']}/{repository['name']}"

    def repository(self, repository: Row, role: str = "") -> Json:
        """A minimal repository with what clients look at."""
        api, page = self.repo_url(repository), self.repo_page(repository)
        shape = {
            "id": repository["id"], "node_id": f"R_{repository['id']}", "name": repository["name"],
            "full_name": f"{repository['owner']}/{repository['name']}", "private": bool(repository["private"]),
            "owner": self.user(repository["owner"]), "html_url": page, "description": repository["description"] or None, "fork": False,
            "url": api,
            "default_branch": repository["default_branch"], "created_at": repository["created_at"], "updated_at": repository["pushed_at"],
            "pushed_at": repository["pushed_at"], "git_url": f"{page}.git", "clone_url": f"{page}.git", "ssh_url": "", "svn_url": page,
            "homepage": None, "size": 0, "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "language": None, "has_issues": True,
            "has_projects": False, "has_downloads": False, "has_wiki": False, "has_pages": False, "has_discussions": False,
            "forks_count": 0,
            "forks": 0, "mirror_url": None, "archived": False, "disabled": False, "open_issues_count": self._open_issues(repository),
            "open_issues": self._open_issues(repository), "license": None, "allow_forking": False, "is_template": False, "topics": [],
            "custom_properties": {},
            "web_commit_signoff_required": False, "visibility": "private" if repository["private"] else "public",
        }  # fmt: skip
        for key, tail in _REPOSITORY_LINKS.items():
            shape[f"{key}_url"] = f"{api}/{tail}"
        if role:
            reached = ROLES.index(role)
            names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
            shape["permissions"] = {key: reached >= ROLES.index(name) for key, name in names.items()}
        return shape

    def minimal(self, repository: Row) -> Json:
        """A repository as workflow runs carry it: who it is and its addresses."""
        names = {"id", "node_id", "name", "full_name", "private", "owner", "html_url", "description", "fork", "url"}
        names |= {f"{key}_url" for key in _REPOSITORY_LINKS}
        return {key: value for key, value in self.repository(repository).items() if key in names}

    def _open_issues(self, repository: Row) -> int:
        query = "select count(*) from issues where repository = ? and state = 'open' and deleted = 0"
        return int(self._database.value(query, repository["id"]))

    def label(self, repository: Row, row: Row) -> Json:
        """A label."""
        url = f"{self.repo_url(repository)}/labels/{row['name']}"
        base = {"id": row["id"], "node_id": f"LA_{row['id']}", "url": url, "name": row["name"], "color": row["color"]}
        return {**base, "default": False, "description": row["description"] or None}

    def labels_of(self, issue: Row) -> list[Row]:
        """The label rows of an issue, by name."""
        query = "select labels.* from issue_labels join labels on labels.id = label where issue = ? order by labels.name"
        return self._database.rows(query, issue["id"])

    def issue(self, repository: Row, issue: Row) -> Json:
        """An issue, or a pull request in its issue shape."""
        api = f"{self.repo_url(repository)}/issues/{issue['number']}"
        page = f"{self.repo_page(repository)}/{'pull' if issue['pull'] else 'issues'}/{issue['number']}"
        names = self._database.rows("select login from assignees where issue = ? order by login", issue["id"])
        assignees = [self.user(row["login"]) for row in names]
        shape = {
            "url": api, "repository_url": self.repo_url(repository), "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments",
            "events_url": f"{api}/events", "timeline_url": f"{api}/timeline", "html_url": page, "id": issue["id"],
            "node_id": f"I_{issue['id']}",
            "number": issue["number"], "title": issue["title"], "user": self.user(issue["author"]),
            "labels": [self.label(repository, row) for row in self.labels_of(issue)], "state": issue["state"],
            "state_reason": issue["state_reason"], "locked": bool(issue["locked"]), "active_lock_reason": issue["lock_reason"],
            "assignee": assignees[0] if assignees else None, "assignees": assignees, "milestone": None,
            "comments": self._database.value("select count(*) from comments where issue = ?", issue["id"]),
            "created_at": issue["created_at"],
            "updated_at": issue["updated_at"], "closed_at": issue["closed_at"],
            "author_association": self.association(repository, issue["author"]),
            "body": issue["body"], "closed_by": self.user(issue["closed_by"]) if issue["closed_by"] else None,
            "reactions": self._reactions(api), "performed_via_github_app": None,
        }  # fmt: skip
        if issue["pull"]:
            pull = f"{self.repo_url(repository)}/pulls/{issue['number']}"
            merged = self._database.value("select merged_at from pulls where issue = ?", issue["id"])
            shape["pull_request"] = {
                "url": pull,
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": merged,
            }
        return shape

    def told_issue(self, repository: Row, issue: Row) -> Json:
        """An issue as webhooks carry it, which lack ``closed_by``."""
        return {key: value for key, value in self.issue(repository, issue).items() if key != "closed_by"}

    def association(self, repository: Row, login: str) -> str:
        """GitHub's author_association, which says nothing about rights."""
        if login.lower() == repository["owner"].lower():
            return "OWNER"
        query = "select role from collaborators where repository = ? and login = ? and role != 'none'"
        return "COLLABORATOR" if self._database.row(query, repository["id"], login) else "NONE"

    @staticmethod
    def _reactions(api: str) -> Json:
        return {"url": f"{api}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}

    def comment(self, repository: Row, issue: Row, row: Row) -> Json:
        """An issue comment."""
        api = f"{self.repo_url(repository)}/issues/comments/{row['id']}"
        page = f"{self.repo_page(repository)}/{'pull' if issue['pull'] else 'issues'}/{issue['number']}#issuecomment-{row['id']}"
        base = {"url": api, "html_url": page, "issue_url": f"{self.repo_url(repository)}/issues/{issue['number']}", "id": row["id"]}
        return {
            **base, "node_id": f"IC_{row['id']}", "user": self.user(row["author"]), "created_at": row["created_at"],
            "updated_at": row["updated_at"], "author_association": self.association(repository, row["author"]), "body": row["body"],
            "reactions": self._reactions(api), "performed_via_github_app": None,
        }  # fmt: skip

    def issue_event(self, repository: Row, row: Row) -> Json:
        """One entry of an issue's events or timeline."""
        base = {"id": row["id"], "node_id": f"LE_{row['id']}", "url": f"{self.repo_url(repository)}/issues/events/{row['id']}"}
        base |= {"actor": self.user(row["actor"]), "event": row["event"], "commit_id": None, "commit_url": None}
        return {**base, "created_at": row["created_at"], "performed_via_github_app": None, **json.loads(row["data"])}


_REPOSITORY_LINKS = {
    "archive": "{archive_format}{/ref}", "assignees": "assignees{/user}", "blobs": "git/blobs{/sha}", "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}", "comments": "comments{/number}", "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}", "contents": "contents/{+path}", "contributors": "contributors", "deployments": "deployments",
    "downloads": "downloads", "events": "events", "forks": "forks", "git_commits": "git/commits{/sha}", "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}", "hooks": "hooks", "issue_comment": "issues/comments{/number}", "issue_events": "issues/events{/number}",
    "issues": "issues{/number}", "keys": "keys{/key_id}", "labels": "labels{/name}", "languages": "languages", "merges": "merges",
    "milestones": "milestones{/number}", "notifications": "notifications{?since,all,participating}", "pulls": "pulls{/number}",
    "releases": "releases{/id}", "stargazers": "stargazers", "statuses": "statuses/{sha}", "subscribers": "subscribers",
    "subscription": "subscription", "tags": "tags", "teams": "teams", "trees": "git/trees{/sha}",
}  # fmt: skip
