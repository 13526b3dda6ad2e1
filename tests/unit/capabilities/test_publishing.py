"""What a run publishes: plots, the report with its verdict, and the pages of its data in the run's language."""

from __future__ import annotations

import pytest

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities import history
from mlops_core.capabilities.issue import start_run
from mlops_core.contracts.run import RunState
from mlops_core.reporting.comment import link_items
from mlops_core.reporting.links import Links
from mlops_core.reporting.rendering import translator
from mlops_core.runs.state import change_run, read_run
from tests.unit.mcp_server import world as w
from tests.unit.reporting import looked, states

PREPARED = "s3://lake/datasets/adult/versions/v1.0.0/0123456789abcdef/"


@pytest.fixture
def memory() -> MemoryPorts:
    return w.world()


def started(memory: MemoryPorts, **request: object) -> str:
    """A run whose data are prepared."""
    run = start_run(memory.ports, w.approved(**request)).run_id
    for page in ("quality", "features"):
        for language in ("en", "ja"):
            memory.objects.write(f"{PREPARED}{page}.{language}.html", f"{page} in {language}".encode())
    change(memory, run, prepared_uri=PREPARED)
    return run


def change(memory: MemoryPorts, run: str, **changes: object) -> RunState:
    return change_run(memory.ports, run, lambda state: state.model_copy(update=changes))


def published(memory: MemoryPorts, run: str, name: str) -> bytes | None:
    return memory.repository.files[w.REPOSITORY].get(f"training_history/income/{run}/{name}")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_pages_of_the_data_are_published_in_the_run_s_language_even_when_nothing_was_trained(
    memory: MemoryPorts, language: str
) -> None:
    run = started(memory, language=language)
    found = history.publish_plots(memory.ports, run)
    assert published(memory, run, "quality.html") == f"quality in {language}".encode()
    assert published(memory, run, "features.html") == f"features in {language}".encode()
    assert found["report_path"] == ""
    assert found["quality_path"] == f"training_history/income/{run}/quality.html"
    assert read_run(memory.ports, run).features_path == f"training_history/income/{run}/features.html"


def test_the_report_is_published_with_the_verdict(memory: MemoryPorts) -> None:
    run = started(memory)
    uri = f"s3://lake/evaluations/{run}-r0/"
    memory.objects.write(f"{uri}report.html", looked.page().encode())
    change(memory, run, evaluation_uri=uri, verdict=states.verdict("retrain", 0.9))
    history.publish_plots(memory.ports, run)
    page = (published(memory, run, "report.html") or b"").decode()
    assert "Not good enough yet" in page
    assert "Measured, not judged yet" not in page
    assert '<nav class="pages"><a href="quality.html">Data quality report</a><a href="features.html">' in page


def test_a_run_without_data_publishes_nothing(memory: MemoryPorts) -> None:
    run = start_run(memory.ports, w.approved()).run_id
    assert history.publish_plots(memory.ports, run) == {"plots": [], "report_path": "", "quality_path": "", "features_path": ""}


def test_the_comment_links_the_pages(memory: MemoryPorts) -> None:
    run = started(memory)
    history.publish_plots(memory.ports, run)
    links = link_items(read_run(memory.ports, run), Links(raw="https://github.com/o/r/raw/HEAD"), translator("en"))
    assert f"[Data quality report](https://github.com/o/r/raw/HEAD/training_history/income/{run}/quality.html)" in links
    assert any("Feature documentation" in link for link in links)
