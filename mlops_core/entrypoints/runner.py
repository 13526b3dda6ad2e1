"""The runner as a step sees it: inputs, outputs, log, job summary, and the one edge at which errors end.

    if __name__ == "__main__":
        sys.exit(run_step("parse", main))        # 0, or the exit code of the error

Text from people reaches a step through the event file or variables named ``UNTRUSTED_*`` and leaves it neutralised: nothing of it is
written to ``GITHUB_ENV``, and a log line cannot become a workflow command.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from actions_toolkit import core

from mlops_core.errors import Defect, EnvironmentBroken, MlopsError
from mlops_core.intake.characters import shown

LONGEST_LOG_LINE = 500


def neutral(text: str) -> str:
    """One harmless log line: one line, visible characters, no workflow command (``::name::`` or ``##[name]``)."""
    return shown(text, LONGEST_LOG_LINE).replace("::", ":\\u{3A}").replace("##[", "##\\u{5B}")


@dataclass(frozen=True)
class Step:
    """One running step; ``environ`` is the runner's environment."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def input(self, name: str) -> str:
        """A required input of the action (``aws-region`` comes in ``INPUT_AWS_REGION``); `EnvironmentBroken` names the missing one."""
        value = self.environ.get(f"INPUT_{name.replace('-', '_').upper()}", "").strip()
        if not value:
            raise EnvironmentBroken(f"the input {name!r} is empty.", remedy="Set it where the workflow is called; see examples/caller.")
        return value

    def untrusted(self, name: str) -> str:
        """Text that people or an earlier job wrote, from ``UNTRUSTED_<NAME>``."""
        return self.environ.get(f"UNTRUSTED_{name.upper()}", "")

    def path(self, name: str) -> Path:
        """A file the runner named in a variable; `EnvironmentBroken` when it did not."""
        value = self.environ.get(name, "")
        if not value:
            raise EnvironmentBroken(f"the runner did not set {name}.", remedy="Run this step inside GitHub Actions or act.")
        return Path(value)

    def output(self, name: str, value: str) -> None:
        """Set an output; names are fixed in action.yml, values are set off by a random delimiter."""
        core.set_output(name, value)

    def log(self, text: str) -> None:
        """One neutral line."""
        core.info(neutral(text))

    def mask(self, secret: str) -> None:
        """Hide a value in every later line of the log."""
        core.set_secret(secret)

    def summary(self, markdown: str) -> None:
        """Add to the page of the job; lost without harm where the runner has none."""
        target = self.environ.get("GITHUB_STEP_SUMMARY", "")
        if target:
            with Path(target).open("a", encoding="utf-8") as page:
                page.write(markdown + "\n")

    def fail(self, error: MlopsError, *, name: str) -> None:
        """Headline, cause and remedy on the page of the job, one line in the log."""
        cause = f"{type(error).__name__}{f' {error.code}' if error.code else ''}"
        if error.__cause__ is not None:
            cause += f", after {type(error.__cause__).__name__}"
        parts = [
            f"### ❌ {name}: {harmless(error.headline)}",
            "",
            f"**Cause** {cause}",
            "",
            f"**Remedy** {harmless(error.remedy or 'See the log.')}",
        ]
        self.summary("\n".join(parts))
        core.error(neutral(f"{name}: {error}"))


def harmless(text: str) -> str:
    """One line of Markdown in which nothing acts: no mention, no link, no markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|@!" else character for character in shown(text, LONGEST_LOG_LINE))


def run_step(name: str, action: Callable[[Step], None]) -> int:
    """Run a step's action; the outermost edge: every error becomes a summary, one log line and an exit code."""
    step = Step()
    try:
        action(step)
    except MlopsError as error:
        step.fail(error, name=name)
        return error.exit_code
    except Exception as error:
        for line in traceback.format_exc().splitlines():
            step.log(line)
        step.fail(Defect(f"{type(error).__name__} in step {name}.", remedy="Please report it with the log of this step."), name=name)
        return Defect.exit_code
    return 0
