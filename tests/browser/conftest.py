"""One platform, one browser and one run for the whole module: a person fills the form, another sets the label."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.line import flowers
from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import platform as cli_platform
from mlops_core.cli import seed
from mlops_core.cli.console import Console
from mlops_core.cli.platform import Platform
from tests.browser import chromium
from tests.browser.chromium import Chromium, Tab

REPOSITORY = seed.EXAMPLE_REPOSITORY
RUN_SECONDS = 150.0
EVIL = b"""<!doctype html><html lang="en"><title>calm</title><body><p>text</p>
<img src="/_static/person.svg" alt="outside" onerror="title='hurt'">
<script>document.title = "hurt"; fetch("/");</script><form action="/logout" method="post"><button>press</button></form></body></html>"""


@dataclass
class Site:
    """The pages as a person sees them: ``issue`` is the finished run's, ``places`` names every page that is looked at."""

    platform: Platform
    tab: Tab
    table: str
    issue: int
    places: dict[str, str]

    def open(self, path: str) -> None:
        """Go to a page of the local GitHub."""
        self.tab.open(self.platform.url + path)

    def become(self, login: str) -> None:
        """Sign in as a person through the login page."""
        become(self.tab, self.platform.url, login)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A platform whose example repository saw one whole run, started in the browser; skipped when there is no Chromium."""
    if not chromium.find():
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium); CHROMIUM may name one")
    before = dict(os.environ)
    os.environ["MLOPS_STATE"] = str(tmp_path_factory.mktemp("platform"))
    platform = cli_platform.start(Console(sys.stdout, sys.stderr), keep=False)
    try:
        with Chromium(tmp_path_factory.mktemp("profile")) as browser:
            path = tmp_path_factory.mktemp("data") / "flowers.csv"
            path.write_text(flowers(7))
            table = upload(platform.session(), path, bucket=platform.bucket, dataset="flowers")
            yield visit(platform, browser.tab(), table)
    finally:
        platform.supervisor.down()
        os.environ.clear()
        os.environ.update(before)


def visit(platform: Platform, tab: Tab, table: str) -> Site:
    """Run the line once through the pages, and list the pages."""
    tab.look(1280)
    become(tab, platform.url, seed.ASKS)
    number = ask(tab, platform.url, REPOSITORY, {"model-name": "flowers", "dataset": table, "target": "species"})
    become(tab, platform.url, seed.APPROVES)
    label(tab, platform.url, REPOSITORY, number)
    pull = open_pull(platform)
    tab.wait("document.body.innerText.includes('mlops:done') || document.body.innerText.includes('mlops:failed')", RUN_SECONDS)
    assert "mlops:done" in tab.run("document.body.innerText")
    tab.open(f"{platform.url}/{REPOSITORY}/issues/{number}")
    links: list[str] = tab.run("[...document.querySelectorAll('main a')].map(link => link.href.replace(location.origin, ''))")
    places = {
        "home": "/",
        "form": f"/{REPOSITORY}/issues/new?template=train.yml",
        "files": f"/{REPOSITORY}",
        "issues": f"/{REPOSITORY}/issues?state=all",
        "issue": f"/{REPOSITORY}/issues/{number}",
        "pulls": f"/{REPOSITORY}/pulls",
        "pull": f"/{REPOSITORY}/pull/{pull}",
        "actions": f"/{REPOSITORY}/actions",
        "run": next(link for link in reversed(links) if "/actions/runs/" in link),
        "record": next(link for link in links if link.endswith(".md")),
        "report": next(link for link in links if link.endswith("report.html")),
        "quality": next(link for link in links if link.endswith("quality.html")),
        "features": next(link for link in links if link.endswith("features.html")),
        "dashboard": "/dashboards/mlops-flowers",
    }
    return Site(platform, tab, table, number, places)


def become(tab: Tab, url: str, login: str) -> None:
    """Sign in as a person through the login page."""
    tab.open(f"{url}/login")
    tab.click(f"button[value={login}]")
    tab.wait(f"document.querySelector('.me')?.textContent === '{login}' && location.pathname === '/'")


def ask(tab: Tab, url: str, repository: str, answers: dict[str, str]) -> int:
    """Fill the form and send it; the number of the new issue."""
    tab.open(f"{url}/{repository}/issues/new?template=train.yml")
    tab.type("input[name=title]", "Train: flowers")
    for name, answer in answers.items():
        tab.type(f"#f-{name}", answer)
    for name, option in {"task": "multiclass", "algorithm": "random_forest", "metric": "accuracy"}.items():
        tab.choose(f"#f-{name}", option)
    tab.type("#f-hyperparameters", "n_estimators = 20")
    tab.click("form.fields button.main")
    tab.wait("/issues\\/\\d+$/.test(location.pathname)")
    return int(str(tab.run("location.pathname")).rpartition("/")[2])


def label(tab: Tab, url: str, repository: str, issue: int) -> None:
    """Set the label through the page's own box."""
    tab.open(f"{url}/{repository}/issues/{issue}")
    tab.type("input[name=label]", "mlops:train")
    tab.click("button[value=label]")
    tab.wait("[...document.querySelectorAll('.side .chip')].some(chip => chip.textContent === 'mlops:train')")


def open_pull(platform: Platform) -> int:
    """A small pull request, made over REST; its number."""
    import base64

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return platform.github_call(method, f"/repos/{REPOSITORY}/{path}", body, login=seed.APPROVES)

    head = call("GET", "git/ref/heads/main")["object"]["sha"]
    call("POST", "git/refs", {"ref": "refs/heads/notes", "sha": head})
    for name, content in {"NOTES.md": b"# Notes\n\nWhat we learnt of flowers.\n", "evil.html": EVIL}.items():
        call("PUT", f"contents/{name}", {"message": f"Add {name}", "branch": "notes", "content": base64.b64encode(content).decode()})
    made = call("POST", "pulls", {"title": "Add notes", "head": "notes", "base": "main", "body": "A page of *notes*."})
    return int(made["number"])
