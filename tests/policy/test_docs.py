"""The documentation says what is: links lead somewhere, commands parse, generated pages are current, alarms have their runbook."""

from __future__ import annotations

import argparse
import functools
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import PAGES, REFERENCE, page_text
from mlops_core.adapters.in_memory import in_memory_ports
from mlops_core.capabilities import monitoring
from mlops_core.cli.main import build_parser
from mlops_core.runs.policy import PATH as POLICY_PATH
from mlops_core.runs.policy import parse_policy

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHELL = {"sh", "bash", "shell"}
INSTEAD = {"FILE": "file.csv", "COLUMN": "column", "NAME": "name", "BUCKET": "bucket"}
RENDERED_ELSEWHERE = ("tests/cases/", "examples/issues/", "mlops_core/")
"""Folders whose Markdown is data of tests, issues or templates."""


@functools.cache
def pages() -> tuple[str, ...]:
    """Every page of the repository that people read."""
    ask = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted(name for name in listed if (ROOT / name).is_file() and not name.startswith(RENDERED_ELSEWHERE)))


def text_of(page: str) -> str:
    """The page."""
    return (ROOT / page).read_text(encoding="utf-8")


def shell_lines(page: str) -> Iterator[str]:
    """Lines of the shell fences of a page, comments taken off, continued lines joined."""
    for language, body in FENCE.findall(text_of(page)):
        if language in SHELL:
            for line in body.replace("\\\n", " ").splitlines():
                if line.strip():
                    yield line.strip()


def commands(page: str) -> Iterator[list[str]]:
    """Every `mlops …` command of a page, in fences and in running text."""
    inline = re.findall(r"`(mlops [^`]+)`", FENCE.sub("", text_of(page)))
    for line in [*shell_lines(page), *inline]:
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        for part in split(words, "|", "&&", ";"):
            if part and part[0].rpartition("/")[2] == "mlops":
                yield [INSTEAD.get(word, word) for word in part[1:]]


def split(words: list[str], *between: str) -> Iterator[list[str]]:
    """Words of a line, one list for each command."""
    found: list[str] = []
    for word in words:
        if word in between:
            yield found
            found = []
        else:
            found.append(word)
    yield found


@pytest.mark.parametrize("page", pages())
def test_every_relative_link_leads_somewhere(page: str) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_are_looked_at() -> None:
    assert sum(len(LINK.findall(text_of(page))) for page in pages()) > 40


@pytest.mark.parametrize("page", pages())
def test_every_command_of_ours_parses(page: str) -> None:
    parser = build_parser()
    meant = [words for words in commands(page) if not any("…" in word or word == "COMMAND" for word in words)]
    assert [" ".join(words) for words in meant if not parses(parser, words)] == []


def parses(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    """Whether the real parser takes a command; a page may also name a command without its arguments."""
    try:
        parser.parse_args(words)
    except SystemExit as end:
        return end.code == 0 or named_only(parser, words)
    return True


def named_only(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    """A command's name with nothing but names of its actions and options: `data add`, `run --json`."""
    if not words or words[0] not in subcommands(parser):
        return False
    known = subcommands(parser)[words[0]]._actions
    names = {name for action in known for name in (action.option_strings or action.choices or ())}
    return set(words[1:]) <= names


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The words of the command line."""
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


@pytest.mark.parametrize("page", pages())
def test_a_shell_fence_holds_commands_of_programs_that_are_there(page: str) -> None:
    """Ours, the ones the README asks for, and the clients of AWS, GitHub and Docker that a page names as needed."""
    first = {next(word for word in line.split() if "=" not in word) for line in shell_lines(page) if not line.startswith("#")}
    assert first <= {"make", "mlops", "git", ".", "cd", "echo", "python", ".venv/bin/python", "aws", "gh", "docker", "npx", "act"}


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for page in pages():
        named = re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", text_of(page))
        for line in shell_lines(page):
            named += re.findall(r"\bmake ([a-z-]+)", line.partition("#")[0])
        assert set(named) <= targets, page


@pytest.mark.parametrize("page", pages())
def test_paths_that_a_page_names_in_code_exist(page: str) -> None:
    """A path of our own folders in backticks; one with a placeholder is not meant literally."""
    named = re.findall(r"`((?:mlops_core|cloudformation|stepfunctions|examples|actions|docs|tests|locks)/[\w./-]+)`", text_of(page))
    assert [name for name in named if not name.endswith("...") and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_current(name: str) -> None:
    assert (REFERENCE / f"{name}.md").read_text(encoding="utf-8") == page_text(name), "run `python -m docs.generate`"


def described_alarms() -> set[str]:
    """Runbooks that alarms name: those of the templates and those that the monitoring capability makes."""
    memory = in_memory_ports(alarm_topic_arn="arn:aws:sns:us-east-1:000000000000:mlops-alarms")
    monitoring.put_alarms(memory.ports, "income", "mlops-income")
    described = [alarm.description for alarm in memory.watch.put.values()]
    described += re.findall(r"AlarmDescription: (.+)", text_of("cloudformation/alarms.yaml"))
    found = [re.search(r"docs/runbooks/([a-z-]+)\.md", text) for text in described]
    assert len(found) >= 7
    assert all(found), "an alarm names no runbook"
    return {match[1] for match in found if match}


def test_every_alarm_has_its_runbook_and_every_runbook_its_alarm() -> None:
    assert described_alarms() == {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.stem == "README":
        assert all(f"({other.name})" in text for other in RUNBOOKS.glob("*.md") if other != path)
    else:
        assert all(re.search(rf"\*\*{word}", text) for word in ("Alarm", "What it means", "Look", "Act"))
        assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", pages())
def test_policy_files_in_pages_are_ones_the_suite_reads(page: str) -> None:
    if "mlops.yml" in text_of(page):
        assert POLICY_PATH == ".github/mlops.yml"
        for language, body in FENCE.findall(text_of(page)):
            if language == "yaml" and "jobs:" not in body:
                parse_policy(body.encode())


def test_the_first_screen_of_the_readme_has_the_flow_the_two_commands_and_a_picture() -> None:
    first = "\n".join(text_of("README.md").splitlines()[:45])
    assert "issue form ─▶" in first
    assert "make demo" in first
    assert "make test" in first
    assert re.search(r"!\[[^\]]+\]\(docs/pictures/[\w-]+\.png\)", first)


def test_a_decision_has_its_context_its_choice_and_what_was_given_up() -> None:
    pages_of_decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [path.name[:4] for path in pages_of_decisions] == [f"{number:04d}" for number in range(1, len(pages_of_decisions) + 1)]
    for path in pages_of_decisions:
        text = path.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "What we gave up")), path.name
