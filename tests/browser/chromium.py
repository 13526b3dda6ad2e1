"""One headless Chromium, driven over its debugging pipe: no package is needed besides the browser.

    with Chromium(profile_folder) as browser:
        tab = browser.tab()
        tab.look(390, "dark")
        tab.open("http://127.0.0.1:8400/")
        tab.run("document.title")

The pipe speaks Chromium's DevTools protocol: JSON messages that end with a zero byte, commands on descriptor 3, answers on 4.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
ANSWER_SECONDS = 30.0
PAGE_SECONDS = 15.0
Scheme = Literal["light", "dark"]


def find() -> str:
    """The browser's path; empty when none is installed.  ``CHROMIUM`` names another one."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), "")


class Chromium:
    """The browser's process; everything it started ends with the block."""

    def __init__(self, profile: Path) -> None:
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (read_commands, write_answers)]
        redirect = f'exec "$0" "$@" 3<&{high[0]} 4>&{high[1]}'
        command = ["bash", "-c", redirect, find(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, pass_fds=high, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        for end in (read_commands, write_answers, *high):
            os.close(end)
        self._number = 0
        self._buffer = b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def tab(self) -> Tab:
        """A new tab with a session of its own."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        return Tab(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One command; `AssertionError` with the browser's words when it fails, `TimeoutError` when nothing comes."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + ANSWER_SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser said nothing within {ANSWER_SECONDS:.0f} s")
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser ended"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found


class Tab:
    """One tab."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command to this tab."""
        return self._browser.call(method, self._session, **parameters)

    def look(self, width: int, scheme: Scheme = "light", *, height: int = 900, scale: int = 1) -> None:
        """Choose the viewport in CSS pixels and the colour scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        """Go to an address and wait until the page with its images is complete."""
        went = self.call("Page.navigate", url=url)
        assert not went.get("errorText"), f"{url}: {went['errorText']}"
        self.wait(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url.partition('?')[0])})")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, replMode=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = PAGE_SECONDS) -> None:
        """Return once an expression is true; pages that change below us count as not yet."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(AssertionError):
                if self.run(condition):
                    return
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s at {self.run('location.href')}: {condition}"
            time.sleep(0.1)

    def click(self, selector: str) -> None:
        """Press the middle of the first element, as a mouse does."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}}); "
            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Focus a field, replace what it holds, key by key for the page."""
        self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select() }})()")
        self.call("Input.insertText", text=text)

    def choose(self, selector: str, option: str) -> None:
        """Choose the option of a select by its text."""
        self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            f"e.selectedIndex = [...e.options].findIndex(o => o.text === {json.dumps(option)}); e.dispatchEvent(new Event('change')) }})()"
        )

    def complaints(self) -> list[str]:
        """Errors that the page or the browser logged since the last call: exceptions, refused resources, policy violations."""
        self.run("1")
        found = [text for event in self._browser.events if event.get("sessionId") == self._session and (text := _complaint(event))]
        self._browser.events.clear()
        return found

    def picture(self, *, clip: tuple[float, float, float, float] | None = None) -> bytes:
        """A PNG of the page or of (x, y, width, height) in CSS pixels, also below the fold."""
        area = {"clip": dict(zip(("x", "y", "width", "height"), clip, strict=True)) | {"scale": 1}} if clip else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **area)["data"])


def _complaint(event: dict[str, Any]) -> str:
    parameters = event.get("params", {})
    match event.get("method"):
        case "Runtime.exceptionThrown":
            return str(parameters["exceptionDetails"])
        case "Runtime.consoleAPICalled" if parameters["type"] in {"error", "assert"}:
            return str([item.get("value") for item in parameters["args"]])
        case "Log.entryAdded" if parameters["entry"]["level"] == "error":
            return f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}"
    return ""
