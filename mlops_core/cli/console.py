"""What `mlops` shows: live tables on a terminal, plain lines elsewhere.

console = Console(sys.stdout, sys.stderr)
with console.live() as screen:
    screen.show(state)          # again and again; draws only what changed, in the language of the request
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from mlops_core.contracts.run import PhaseState, RunState
from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from rich.table import Table

MARKS = {"waiting": "·", "running": "▶", "done": "✓", "failed": "✗", "skipped": "–"}
PRINTABLE_ESCAPE = str.maketrans(dict.fromkeys([*range(32), 127, *range(128, 160), 8234, 8235, 8236, 8237, 8238], "�"))


def plain(text: str) -> str:
    """Text that cannot move the cursor or change colours, whoever wrote it."""
    return text.translate(PRINTABLE_ESCAPE)


def padded(text: str, columns: int) -> str:
    """Text with blanks up to a width of the terminal, where a Japanese letter takes two columns."""
    return text + " " * (columns - sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text))


class Screen(Protocol):
    """Shows a run as it changes."""

    def show(self, state: RunState) -> None:
        """Draw the state."""


@dataclass
class Console:
    """Output of one command."""

    out: TextIO
    err: TextIO
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str = "") -> None:
        """A line of the result."""
        self.out.write(text + "\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """A line about the work, with the elapsed time."""
        self.err.write(f"[{time.monotonic() - self.started:6.1f} s] {text}\n")
        self.err.flush()

    def failure(self, error: MlopsError) -> None:
        """What failed, why, and the next act."""
        code = f" ({error.code})" if error.code else ""
        self.err.write("mlops: " + "\n".join(map(plain, f"{error.headline}{code}".split("\n"))) + "\n")
        if error.remedy:
            self.err.write(f"  next: {plain(error.remedy)}\n")
        if error.code and _is_explained(error.code):
            self.err.write(f"  more: mlops explain-error {plain(error.code)}\n")
        self.err.flush()

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar that grows by the numbers it is called with (bytes); silent when not on a terminal and small."""
        if not self.err.isatty():
            if total > 64 << 20:
                self.note(f"{title} ({total / 2**20:,.0f} MB)")
            yield lambda _: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import Progress

        with Progress(console=RichConsole(file=self.err), transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.advance(task, done)

    @contextmanager
    def live(self) -> Iterator[Screen]:
        """A display that follows one run."""
        if not self.err.isatty():
            yield _Lines(self)
            return
        from rich.console import Console as RichConsole
        from rich.live import Live

        with Live(console=RichConsole(file=self.err), refresh_per_second=4, transient=False) as live:
            yield _Table(live)


def _is_explained(code: str) -> bool:
    from mlops_core.explain.table import find

    return find(code) is not None


@dataclass
class _Lines:
    console: Console
    shown: dict[str, str] = field(default_factory=dict)

    def show(self, state: RunState) -> None:
        from mlops_core.reporting.messages import plain as word

        language = state.request.language
        for phase in state.phases:
            name = phase.name if language == "en" else word(language, f"phase.{phase.name}")
            text = f"{MARKS[phase.status]} {name}: {word(language, f'terminal.{phase.status}')}{_tail(phase)}"
            if phase.status != "waiting" and self.shown.get(phase.name) != text:
                self.shown[phase.name] = text
                self.console.note(text)


@dataclass
class _Table:
    live: object

    def show(self, state: RunState) -> None:
        self.live.update(_table(state))  # type: ignore[attr-defined]


def _tail(phase: PhaseState) -> str:
    return f", {plain(phase.detail)}" if phase.detail else ""


def _table(state: RunState) -> Table:
    from rich.table import Table
    from rich.text import Text

    from mlops_core.reporting.messages import plain as word

    language = state.request.language
    table = Table(title=word(language, "terminal.run", run=state.run_id), title_justify="left", expand=False)
    for key in ("", "column.phase", "terminal.time", "column.job", "column.detail"):
        table.add_column(word(language, key) if key else "", justify="right" if key == "terminal.time" else "left", overflow="fold")
    for phase in state.phases:
        style = {"running": "bold cyan", "done": "green", "failed": "bold red"}.get(phase.status, "dim")
        table.add_row(
            Text(MARKS[phase.status], style=style),
            Text(word(language, f"phase.{phase.name}"), style=style),
            _elapsed(phase),
            phase.job or "",
            Text(plain(phase.detail)),
        )
    if state.live_metrics:
        table.caption = "  ".join(f"{plain(name)} {value:.4f}" for name, value in state.live_metrics[-4:])
    return table


def _elapsed(phase: PhaseState) -> str:
    if phase.started_at is None:
        return ""
    from datetime import UTC, datetime

    begin = datetime.fromisoformat(phase.started_at)
    end = datetime.fromisoformat(phase.ended_at) if phase.ended_at else datetime.now(UTC)
    return f"{(end - begin).total_seconds():.1f} s"
