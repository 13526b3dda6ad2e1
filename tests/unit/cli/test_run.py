"""What `mlops run` settles before the platform starts."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from mlops_core.cli import run
from mlops_core.cli.console import Console


def test_a_test_file_of_its_own_passes_the_check(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("a,y\n" + "1,yes\n2,no\n" * 40)
    parser = argparse.ArgumentParser()
    run.configure(parser)
    files = ["--data", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
    given = parser.parse_args([*files, "--target", "y", "--positive", "yes"])
    run.check(given, Console(io.StringIO(), io.StringIO()))
    assert given.task == "binary"
