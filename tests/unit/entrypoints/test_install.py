"""The bootstrap of the actions: where it installs, what it keeps out, what it says when it cannot."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "actions" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_first_folder_that_can_be_written_holds_the_environment(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.delenv("MLOPS_ACTIONS_CACHE", raising=False)
    monkeypatch.setenv("RUNNER_TOOL_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "temp"))
    assert install.cache() == tmp_path / "temp" / "mlops-actions"
    monkeypatch.setenv("MLOPS_ACTIONS_CACHE", str(tmp_path / "own"))
    assert install.cache() == tmp_path / "own" / "mlops-actions"


def test_without_any_folder_it_says_which_variable_to_set(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MLOPS_ACTIONS_CACHE", "RUNNER_TOOL_CACHE", "RUNNER_TEMP"):
        monkeypatch.delenv(name, raising=False)
    assert install.main(["parse"]) == 9
    assert "set MLOPS_ACTIONS_CACHE" in capsys.readouterr().out


def test_nothing_that_changes_interpreters_or_linkers_reaches_installer_or_step_abuse_row_5(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "NODE_OPTIONS", "VIRTUAL_ENV")
    for name in bad:
        monkeypatch.setenv(name, "/tmp/x")
    monkeypatch.setenv("GITHUB_ENV", "/tmp/env")
    kept = install.environment()
    assert not set(bad) & set(kept)
    assert "GITHUB_ENV" in kept


def test_packages_come_from_the_lock_by_hash_and_never_from_source(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for found in (None, "/usr/bin/uv"):
        monkeypatch.setattr(install.shutil, "which", lambda _, found=found: found)
        last: list[str] = install.commands(tmp_path)[-1]
        assert {"--require-hashes", "--only-binary", str(ROOT / "locks" / "actions.txt")} <= set(last)


def test_a_change_of_the_lock_makes_a_new_environment(install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = install.key()
    (tmp_path / "lock").write_text("x==1", encoding="utf-8")
    monkeypatch.setattr(install, "LOCK", tmp_path / "lock")
    assert install.key() != before


def test_an_unknown_step_and_an_old_python_are_refused(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install.main(["../../x"]) == 9
    assert "answer, authorize, command, parse, start" in capsys.readouterr().out
    monkeypatch.setattr(install, "OLDEST", (9, 9))
    assert install.main(["parse"]) == 9
    assert "too old" in capsys.readouterr().out


def test_a_failed_install_leaves_nothing_that_looks_finished(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_ACTIONS_CACHE", str(tmp_path))
    ran: list[Path] = []

    def failing(folder: Path) -> list[list[str]]:
        ran.append(folder)
        return [["false"]]

    monkeypatch.setattr(install, "commands", failing)
    assert install.main(["parse"]) == 9
    assert install.main(["parse"]) == 9
    assert len(ran) == 2
    assert not list(tmp_path.rglob(".complete"))
    assert "run the job again" in capsys.readouterr().out
