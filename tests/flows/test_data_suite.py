"""A policy asks for the expectation suite and stops on what it misses: the whole line, with great-expectations itself."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_core.adapters.upload_s3 import upload
from mlops_core.cli import seed
from mlops_core.cli.platform import Platform
from mlops_core.runs import policy
from tests.flows.conftest import write
from tests.flows.test_line import Line, wait_for

pytestmark = pytest.mark.flow
REPOSITORY = seed.EXAMPLE_REPOSITORY
ASKED = b"data_suite: run\nstop_on: [W-QUALITY-004]\n"


def test_data_that_miss_the_suite_are_refused_with_the_page_that_lists_what_was_missed(
    platform: Platform, flowers: Callable[[int], bytes], tmp_path: Path
) -> None:
    rows = list(csv.reader(io.StringIO(flowers(1).decode())))
    grown = io.StringIO()
    csv.writer(grown).writerows([rows[0], *([str(float(length) + 90), *rest] for length, *rest in rows[1:61])])
    files = {"suite.csv": flowers(1), "grown.csv": grown.getvalue().encode()}
    uris = [
        upload(platform.session(), write(tmp_path, name, body), bucket=platform.bucket, dataset=name.split(".", maxsplit=1)[0])
        for name, body in files.items()
    ]
    line, repository = Line(platform, uris[0]), platform.ports().repository
    before = repository.read(REPOSITORY, policy.PATH) or b""
    repository.commit(REPOSITORY, "Carry the suite out", lambda _read: {policy.PATH: ASKED})
    try:
        issue = line.ask(REPOSITORY, "suite", test_dataset=uris[1])
        platform.label(REPOSITORY, issue)
        state = line.closed(line.run_of(REPOSITORY, issue))
    finally:
        repository.commit(REPOSITORY, "As it was", lambda _read: {policy.PATH: before})
    assert (state.outcome, [phase.name for phase in state.phases if phase.status == "done"]) == ("refused", ["data"]), state.reason
    assert "W-QUALITY-004" in state.reason
    wait_for(lambda: "mlops:refused" in line.labels(REPOSITORY, issue))
    comment = line.comments(REPOSITORY, issue)[0]
    assert state.quality_path in comment
    page = (repository.read(REPOSITORY, state.quality_path) or b"").decode()
    assert "expectations hold on all 240 rows" in page
    assert re.search(r"expect_column_values_to_be_between</code>length: 2\d\.\d % of the values do not meet it", page)
