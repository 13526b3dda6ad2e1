"""Everything that one running local GitHub is made of.

site = Site(config)
site.start(); …; site.stop()
"""

from __future__ import annotations

from typing import Any

from mlops_core.local.github.apps import Apps
from mlops_core.local.github.comments import Comments
from mlops_core.local.github.config import GithubConfig
from mlops_core.local.github.database import Database, Row
from mlops_core.local.github.events import Events
from mlops_core.local.github.faults import Faults
from mlops_core.local.github.hooks import Hooks
from mlops_core.local.github.identity import RUN_LOGIN, Access, Identities, Identity
from mlops_core.local.github.inbox import Inbox
from mlops_core.local.github.issues import Issues
from mlops_core.local.github.oidc import OidcIssuer
from mlops_core.local.github.pulls import Pulls
from mlops_core.local.github.pushes import Pushes
from mlops_core.local.github.repositories import Repositories
from mlops_core.local.github.runner import Runner
from mlops_core.local.github.runs import Runs
from mlops_core.local.github.shapes import Shapes


class Site:
    """The services over one state folder, joined."""

    def __init__(self, config: GithubConfig) -> None:
        self.config = config
        folder = config.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = Database(folder / "github.sqlite")
        self.identities = Identities(self.database)
        self.identities.create_person("web-flow", name="GitHub")
        self.identities.create_person(RUN_LOGIN, name="GitHub Actions", kind="Bot")
        self.access = Access(self.identities)
        self.repositories = Repositories(self.database, self.identities, folder)
        self.shapes = Shapes(self.database, self.identities, config.url)
        self.events = Events(self.database, self._envelope)
        self.issues = Issues(self.database, self.shapes, self.events)
        self.comments = Comments(self.database, self.shapes, self.events)
        self.pushes = Pushes(self.repositories, self.events, self.shapes)
        self.pulls = Pulls(self.database, self.repositories, self.issues, self.events, self.shapes)
        self.hooks = Hooks(self.database, config.ca_bundle)
        self.apps = Apps(self.database, self.identities, self.repositories)
        self.oidc = OidcIssuer(folder / "keys", config.jwks_path)
        self.runs = Runs(self.database, self.repositories, self.events, self.shapes)
        self.runner = Runner(config, self.runs, self.identities, self.repositories)
        self.faults = Faults()
        self.inbox = Inbox(self.database, config)
        self.pushes.after = self.pulls.branch_moved
        self.events.listeners += [self.hooks.queue, self.runner.consider]

    def _envelope(self, repository: Row, identity: Identity) -> dict[str, Any]:
        return {"repository": self.shapes.repository(repository), "sender": self.shapes.user(identity.login)}

    def start(self) -> None:
        """Close what an earlier process left half-done, then begin to work."""
        self.repositories.release_locks()
        self.runs.fail_interrupted()
        self.hooks.start()
        self.runner.start()

    def stop(self) -> None:
        """End runs and deliveries, then let go of the state folder."""
        self.runner.stop()
        self.hooks.stop()
        self.database.close()
