"""What no linter catches: rules of ours over the workflows and the actions."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from tests.policy.workflows import ACTIONS, CALLERS, PUBLIC, ROOT, WORKFLOWS, expressions, jobs, load, name_of, steps

LEVELS = {"none": 0, "read": 1, "write": 2}
STEPS = sorted(path.parent.name for path in (ROOT / "actions").glob("*/action.yml"))


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name_of)


@each(WORKFLOWS)
def test_a_workflow_says_at_its_top_what_it_does_and_how_it_is_used(path: Path) -> None:
    first, second = path.read_text(encoding="utf-8").split("\n")[:2]
    assert first.startswith(("# PROCESS ", "# PROCESS:"))
    assert second.startswith(("# USAGE ", "# USAGE:"))


@each(WORKFLOWS)
def test_nothing_is_permitted_at_the_top_and_each_permission_of_a_job_has_its_reason(path: Path) -> None:
    assert load(path)["permissions"] == {}
    for name, job in jobs(path).items():
        assert isinstance(job.get("permissions"), dict), name
    granted = re.findall(
        r"^ {6}(?:actions|checks|contents|id-token|issues|packages|pages|pull-requests|security-events): .*$",
        path.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert all(re.search(r"# \S+ \S+", line) for line in granted)


@each(WORKFLOWS)
def test_every_job_that_runs_has_a_time_out(path: Path) -> None:
    for name, job in jobs(path).items():
        assert "uses" in job or 1 <= job["timeout-minutes"] <= 60, name


@each(WORKFLOWS + ACTIONS)
def test_no_expression_stands_in_a_script_and_scripts_are_short_abuse_rows_1_2(path: Path) -> None:
    for step in steps(path):
        script = step.get("run", "")
        assert "${{" not in script
        assert path.name == "ci.yml" or len(script.strip().split("\n")) <= 3


@each(WORKFLOWS + ACTIONS)
def test_text_that_people_write_never_enters_through_an_expression(path: Path) -> None:
    written = re.compile(
        r"github\.(?:event\.\w+\.(?:title|body)|head_ref|event\.(?:comment|issue|review)\.(?:body|title)|event\.sender|actor)"
    )
    for expression in expressions(load(path)):
        rest = expression.replace("startsWith(github.event.comment.body, '/')", "")
        assert not written.search(rest), expression


@each(WORKFLOWS + ACTIONS)
def test_nothing_is_written_to_the_environment_of_later_steps_abuse_row_5(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "GITHUB_ENV" not in text
    assert "GITHUB_PATH" not in text
    assert "secrets: inherit" not in text


def test_no_entry_point_exports_variables_or_paths_abuse_row_5() -> None:
    for path in (ROOT / "mlops_core" / "entrypoints").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"export_variable|add_path|open\([^)]*GITHUB_ENV", text), path.name


@each(WORKFLOWS)
def test_actions_of_others_are_pinned_by_their_full_commit(path: Path) -> None:
    for used in [step["uses"] for step in steps(path) if "uses" in step] + [job["uses"] for job in jobs(path).values() if "uses" in job]:
        assert used.startswith("$/") or re.search(r"@[0-9a-f]{40}$", used), used


@each(PUBLIC)
def test_a_public_workflow_uses_no_action_but_ours(path: Path) -> None:
    used = [step.get("uses", "") for step in steps(path)]
    assert used
    assert {name.removeprefix("$/actions/") for name in used} <= set(STEPS)
    assert all(name.startswith("$/actions/") for name in used)


@each(PUBLIC)
def test_the_job_that_reads_people_cannot_ask_for_credentials_and_the_job_that_can_reads_no_event_abuse_row_33(path: Path) -> None:
    first, second = jobs(path).values()
    assert set(first["permissions"]) == {"issues"}
    assert second["permissions"]["id-token"] == "write"
    assert not any("github.event" in expression for expression in expressions(second))
    needed = second["needs"]
    assert re.fullmatch(rf"needs\.{needed}\.outputs\.(?:ok|found) == 'true'", second["if"])


@each(PUBLIC)
def test_only_created_comments_and_set_labels_start_a_job_abuse_row_35(path: Path) -> None:
    first = next(iter(jobs(path).values()))
    action = "labeled" if path.name == "train.yml" else "created"
    assert f"github.event.action == '{action}'" in first["if"]
    for caller in CALLERS:
        (event,) = load(caller)["on"].values()
        assert event["types"] in (["labeled"], ["created"])


def test_the_permission_is_asked_before_the_text_is_parsed_and_again_with_credentials_abuse_row_32() -> None:
    intake = jobs(ROOT / ".github" / "workflows" / "train.yml")["intake"]["steps"]
    assert [step["uses"] for step in intake] == ["$/actions/authorize", "$/actions/parse"]
    assert intake[1]["if"] == "steps.authorize.outputs.allowed == 'true'"
    for name in ("start", "answer"):
        source = (ROOT / "mlops_core" / "entrypoints" / f"{name}.py").read_text(encoding="utf-8")
        assert source.index("check_permission(step") < source.index(
            "_start(step, approved)" if name == "start" else "_answer(step, command)"
        )


@each(CALLERS)
def test_a_caller_grants_what_the_called_workflow_asks_for_and_nothing_more(path: Path) -> None:
    for job in jobs(path).values():
        called = ROOT / ".github" / "workflows" / re.sub(r"@.*", "", job["uses"]).rpartition("/")[2]
        wanted: dict[str, str] = {}
        for inner in jobs(called).values():
            for scope, level in inner["permissions"].items():
                wanted[scope] = max(wanted.get(scope, "none"), level, key=LEVELS.__getitem__)
        assert job["permissions"] == wanted
        assert set(job["with"]) == set(load(called)["on"]["workflow_call"]["inputs"])
        assert job["if"].replace("\n", " ") in " ".join(jobs(called)[next(iter(jobs(called)))]["if"].split())


@each(PUBLIC)
def test_a_step_gives_its_action_known_inputs_and_every_required_one(path: Path) -> None:
    for step in steps(path):
        inputs = load(ROOT / step["uses"].removeprefix("$/") / "action.yml")["inputs"]
        given = set(step.get("with", {}))
        assert given <= set(inputs)
        assert {name for name, row in inputs.items() if row["required"]} <= given


@each(PUBLIC)
def test_every_output_that_is_read_is_written(path: Path) -> None:
    content = load(path)
    declared: dict[str, dict[str, Any]] = {
        step["id"]: load(ROOT / step["uses"].removeprefix("$/") / "action.yml")["outputs"] for step in steps(path) if "id" in step
    }
    for expression in expressions(content):
        for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", expression):
            assert output in declared[step]
        for job, output in re.findall(r"(?:needs|jobs)\.([\w-]+)\.outputs\.([\w-]+)", expression):
            assert output in jobs(path)[job]["outputs"]


@each(ACTIONS)
def test_an_action_installs_the_same_commit_and_runs_one_module(path: Path) -> None:
    (step,) = steps(path)
    name = "parse" if path.parent == ROOT else path.parent.name
    folder = "actions" if path.parent == ROOT else ".."
    assert step["run"] == f'python3 "$GITHUB_ACTION_PATH/{folder}/install.py" {name}'
    assert step["shell"] == "bash"
    source = (ROOT / "mlops_core" / "entrypoints" / f"{name}.py").read_text(encoding="utf-8")
    written = set(re.findall(r'step\.output\("([a-z-]+)"', source)) | set(re.findall(r'runner\.output\("([a-z-]+)"', source))
    assert written == set(load(path)["outputs"])


@each(ACTIONS)
def test_inputs_and_outputs_are_kebab_case_described_and_wired(path: Path) -> None:
    content = load(path)
    (step,) = steps(path)
    for name, row in {**content["inputs"], **content["outputs"]}.items():
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", name)
        assert row["description"].endswith(".")
    passed = {value.strip("${} ").removeprefix("inputs.") for value in step["env"].values()}
    assert passed == set(content["inputs"])
    for variable in step["env"]:
        assert re.fullmatch(r"(?:INPUT|UNTRUSTED)_[A-Z_]+", variable)
    for name, row in content["outputs"].items():
        assert row["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"


def test_every_entry_point_has_its_action_and_the_reverse() -> None:
    modules = {path.stem for path in (ROOT / "mlops_core" / "entrypoints").glob("*.py")}
    parts = {"__init__", "runner", "oidc", "gateways"}
    assert modules - parts == set(STEPS)


@pytest.mark.parametrize("name", STEPS)
def test_the_page_of_an_action_is_the_generated_one(name: str) -> None:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "actions" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "actions" / name / "README.md").read_text(encoding="utf-8")
    assert page == module.readme(ROOT / "actions" / name), "run python actions/readme.py"


def test_the_example_policy_is_one_that_the_suite_reads() -> None:
    from mlops_core.runs.policy import parse_policy

    policy = parse_policy((ROOT / "examples" / "caller" / ".github" / "mlops.yml").read_bytes())
    assert policy.minimum == {"roc_auc": 0.85}
