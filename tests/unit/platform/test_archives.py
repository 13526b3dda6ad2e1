"""Archives: the same bytes each time, nothing in them that a Lambda must not hold, and differences between targets told."""

from __future__ import annotations

import stat
import sys
import zipfile
from pathlib import Path

import pytest

from mlops_core.errors import EnvironmentBroken, Refused
from mlops_core.platform import archives
from mlops_core.platform.archives import AWS, Archive, Builder, differences, host

UV = f"""#!{sys.executable}
import pathlib, sys
words = sys.argv[1:]
if words[:2] == ["python", "find"]:
    sys.exit(2)
if "broken" in pathlib.Path(words[-1]).read_text():
    sys.exit("no such package")
root = pathlib.Path(words[words.index("--target") + 1])
for name, body in {{
    "boto3-1.0.dist-info/METADATA": "", "boto3/__init__.py": "x = 1", "boto3/examples/a.rst": "", "bin/run": "",
    "botocore/data/lambda/service.json": "{{}}", "botocore/data/ec2/service.json": "{{}}", "botocore/data/endpoints.json": "{{}}",
    "pkg/tests/test_a.py": "", "typing_extensions-4.2.dist-info/METADATA": "",
}}.items():
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body)
"""


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    """A small project and a uv that brings made-up packages."""
    project = tmp_path / "project"
    for name in ("agents/data.py", "local/aws.py", "jobs/data.py", "capabilities/data.py", "cli/main.py", "errors.py", "__pycache__/x.pyc"):
        path = project / "mlops_core" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("y = 2\n")
    (project / "locks").mkdir()
    for name in ("agent", "server"):
        (project / "locks" / f"{name}.txt").write_text("boto3==1.0\n")
    uv = tmp_path / "uv"
    uv.write_text(UV)
    uv.chmod(uv.stat().st_mode | stat.S_IEXEC)
    return Builder(project, uv, tmp_path / "out")


def _names(archive: Archive) -> set[str]:
    with zipfile.ZipFile(archive.path) as opened:
        return {name for name in opened.namelist() if not name.endswith(".pyc")}


def test_an_agent_s_archive_holds_agents_and_no_station_that_never_runs_there(builder: Builder) -> None:
    names = _names(builder.build("agent", host()))
    assert {"mlops_core/agents/data.py", "mlops_core/errors.py", "boto3/__init__.py"} <= names
    assert not {
        name for name in names if name.startswith(("mlops_core/local", "mlops_core/jobs", "mlops_core/cli", "mlops_core/capabilities"))
    }


def test_the_server_s_archive_holds_capabilities_and_no_agents(builder: Builder) -> None:
    names = _names(builder.build("server", host()))
    assert "mlops_core/capabilities/data.py" in names
    assert not {name for name in names if name.startswith(("mlops_core/agents", "mlops_core/local"))}


def test_service_models_that_nobody_uses_scripts_and_tests_are_left_out(builder: Builder) -> None:
    names = _names(builder.build("agent", host()))
    assert "botocore/data/lambda/service.json" in names
    assert "botocore/data/endpoints.json" in names
    assert not {name for name in names if "ec2" in name or name.startswith("bin/") or "/tests/" in name or "examples" in name}


def test_bytecode_of_this_machine_is_shipped_and_is_not_checked_against_its_source(builder: Builder) -> None:
    archive = builder.build("agent", host())
    with zipfile.ZipFile(archive.path) as opened:
        compiled = [opened.read(name) for name in opened.namelist() if name.endswith(".pyc")]
    # PEP 552: the flags word after the magic number is 1 for an unchecked hash.
    assert compiled
    assert {body[4:8] for body in compiled} == {b"\x01\x00\x00\x00"}


def test_the_same_sources_give_the_same_bytes(builder: Builder) -> None:
    first = builder.build("agent", host())
    body = first.path.read_bytes()
    first.path.unlink()
    again = builder.build("agent", host())
    assert (again.path, again.path.read_bytes()) == (first.path, body)


def test_another_source_or_lock_is_another_archive(builder: Builder) -> None:
    first = builder.build("agent", host()).path
    (builder.project / "mlops_core" / "errors.py").write_text("y = 3\n")
    second = builder.build("agent", host()).path
    (builder.project / "locks" / "agent.txt").write_text("boto3==1.1\n")
    assert len({first, second, builder.build("agent", host()).path}) == 3


def test_a_folder_that_is_left_out_does_not_change_the_archive(builder: Builder) -> None:
    first = builder.build("agent", host()).path
    (builder.project / "mlops_core" / "local" / "aws.py").write_text("y = 4\n")
    assert builder.build("agent", host()).path == first


def test_targets_agree_or_the_difference_is_named(builder: Builder) -> None:
    one, other = builder.build("agent", host()), builder.build("agent", AWS)
    assert differences(one, other) == []
    assert one.packages == {"boto3": "1.0", "typing-extensions": "4.2"}
    newer = Archive("agent", AWS, other.path, "d", 1, {"boto3": "1.1"})
    assert differences(one, newer) == ["boto3: 1.0 for host, 1.1 for aws", "typing-extensions: 4.2 for host, absent for aws"]


def test_an_archive_over_the_limit_is_refused(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LIMIT_BYTES", 100)
    with pytest.raises(Refused, match="a Lambda archive may have"):
        builder.build("agent", host())


def test_packages_that_cannot_be_brought_are_told_in_uv_s_words(builder: Builder) -> None:
    (builder.project / "locks" / "agent.txt").write_text("broken\n")
    with pytest.raises(EnvironmentBroken, match="no such package"):
        builder.build("agent", host())
