"""The pages in a real browser, at the width of a telephone and of a desk, light and dark."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.flows.local.github.conftest import Platform

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), "")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"]
FORM = b"name: Train\ndescription: d\nbody:\n  - {type: input, id: model, attributes: {label: Model}, validations: {required: true}}\n"
LONG = "| phase | state | metric |\n| --- | --- | --- |\n| data | done | " + "x" * 200 + " |\n\n" + "w" * 300

pytestmark = [
    pytest.mark.flow,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Tab:
    """One tab, driven over Chromium's debugging pipe."""

    def __init__(self, profile: Path) -> None:
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (read_commands, write_answers)]
        redirect = f'exec "$0" "$@" 3<&{high[0]} 4>&{high[1]}'
        command = ["bash", "-c", redirect, CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(command, pass_fds=high, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (read_commands, write_answers, *high):
            os.close(end)
        self._number = 0
        self._buffer = b""
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Log.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **({"sessionId": self._session} if self._session else {})}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._answers, 65536)
            assert more, "the browser ended"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def look(self, width: int, scheme: str) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url.partition('?')[0])})")

    def run(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, condition: str, timeout_s: float = 15) -> None:
        deadline = time.monotonic() + timeout_s
        while not self.run(condition):
            assert time.monotonic() < deadline, f"{condition}: {self.run('location.href')}"
            time.sleep(0.05)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)


@pytest.fixture(scope="module")
def site(platform: Platform) -> Platform:
    platform.admin.create_repository("alice", "seen", files={"README.md": LONG.encode(), ".github/ISSUE_TEMPLATE/train.yml": FORM})
    platform.admin.set_permission("alice/seen", "wendy", "write")
    platform.repository("wendy", "alice/seen").create_issue("A title " + "y" * 120, LONG).create_comment(LONG)
    return platform


@pytest.fixture(scope="module")
def tab(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    opened = Tab(tmp_path_factory.mktemp("profile"))
    opened.open(f"{site.server.url}/login")
    opened.run("document.querySelector('button[value=wendy]').click()")
    opened.wait("document.body.innerText.includes('Repositories')")
    yield opened
    opened.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (1280, "dark")])
@pytest.mark.parametrize(
    "path",
    ["/", "/alice/seen", "/alice/seen/issues", "/alice/seen/issues/1", "/alice/seen/issues/new?template=train.yml", "/alice/seen/actions"],
)
def test_nothing_runs_over_the_edge(site: Platform, tab: Tab, path: str, width: int, scheme: str) -> None:
    tab.look(width, scheme)
    tab.open(site.server.url + path)
    assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth") is True
    background = tab.run("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")


def test_a_person_fills_the_form_and_sees_the_comment_come_by_itself(site: Platform, tab: Tab) -> None:
    tab.look(1280, "light")
    tab.open(f"{site.server.url}/alice/seen/issues/new?template=train.yml")
    tab.run("document.querySelector('[name=title]').value = 'By hand'; document.querySelector('[name=model]').value = 'adult'")
    tab.run("document.querySelector('form.fields button.main').click()")
    tab.wait("/issues\\/\\d+$/.test(location.pathname)")
    number = int(str(tab.run("location.pathname")).rpartition("/")[2])
    issue = site.repository("alice", "alice/seen").get_issue(number)
    assert issue.body == "### Model\n\nadult"
    tab.run("document.querySelector('textarea[name=body]').value = 'half a thought'")
    issue.create_comment("**living** comment")
    tab.wait("[...document.querySelectorAll('strong')].some(item => item.textContent === 'living')")
    assert tab.run("document.querySelector('textarea[name=body]').value") == "half a thought"


def test_the_policy_stops_a_script_that_slipped_in(site: Platform, tab: Tab) -> None:
    tab.open(f"{site.server.url}/alice/seen")
    tab.run("const s = document.createElement('script'); s.textContent = 'window.slipped = 1'; document.body.append(s)")
    assert tab.run("window.slipped === undefined") is True
