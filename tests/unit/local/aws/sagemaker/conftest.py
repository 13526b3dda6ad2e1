"""A service over an in-memory host, with an image ``work`` whose programs are written by the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.aws.sagemaker.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.open(tmp_path)
    yield opened
    opened.close()
