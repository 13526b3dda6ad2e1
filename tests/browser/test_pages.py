"""The pages of the local GitHub after one whole run, as two people saw it: two widths, light and dark."""

from __future__ import annotations

import pytest

from mlops_core.cli import seed
from tests.browser import looks
from tests.browser.chromium import Scheme
from tests.browser.conftest import REPOSITORY, Site, ask, label

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = (
    "home",
    "form",
    "files",
    "issues",
    "issue",
    "pulls",
    "pull",
    "actions",
    "run",
    "record",
    "report",
    "quality",
    "features",
    "dashboard",
)
LOOKS: tuple[tuple[int, Scheme], ...] = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window_can_be_read_and_logs_no_error(site: Site, name: str, width: int, scheme: Scheme) -> None:
    site.tab.look(width, scheme)
    site.tab.complaints()
    site.open(site.places[name])
    assert site.tab.run(looks.OVERFLOW) <= 0, site.tab.run(looks.WIDE)
    assert site.tab.run(looks.CONTRAST) == []
    assert site.tab.complaints() == []


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_loads_and_says_what_it_shows(site: Site, name: str) -> None:
    site.open(site.places[name])
    pictures = site.tab.run(looks.IMAGES)
    assert [each for each in pictures if not each["width"] or not each["text"].strip()] == []
    if name == "issue":
        assert len(pictures) >= 1


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_name(site: Site, name: str) -> None:
    site.open(site.places[name])
    assert site.tab.run(looks.NAMELESS) == []


def test_the_living_comment_is_one_and_tells_the_whole_run(site: Site) -> None:
    site.open(site.places["issue"])
    bodies: list[str] = site.tab.run("[...document.querySelectorAll('article.comment:not(#issue-body)')].map(e => e.innerText)")
    assert len(bodies) == 1
    for told in ("flowers", "1.0.0", "Training", "Verdict", "accuracy"):
        assert told in bodies[0]


def test_the_workflow_s_log_is_on_its_page(site: Site) -> None:
    site.open(site.places["run"])
    assert "success" in site.tab.run("document.querySelector('main').innerText")
    assert site.tab.run("[...document.querySelectorAll('pre.log')].map(e => e.textContent).join('').length") > 100


def test_the_dashboard_draws_its_widgets(site: Site) -> None:
    site.open(site.places["dashboard"])
    assert site.tab.run("document.querySelectorAll('.widget svg').length") >= 2


def test_a_person_fills_the_form_wrongly_and_reads_what_to_change(site: Site) -> None:
    site.tab.look(390)
    site.become(seed.ASKS)
    url, repository = site.platform.url, seed.LOCAL_REPOSITORY
    number = ask(site.tab, url, repository, {"model-name": "No Good Name", "dataset": site.table, "target": "species"})
    site.become(seed.APPROVES)
    label(site.tab, url, repository, number)
    site.tab.wait("document.body.innerText.includes('E-PARSE-')", 60)
    text = site.tab.run("document.querySelector('article.comment:not(#issue-body)').innerText")
    assert "No Good Name" in text
    assert "Model name" in text
    assert site.tab.run(looks.OVERFLOW) <= 0


def test_the_browser_itself_demands_the_required_fields(site: Site) -> None:
    site.become(seed.ASKS)
    site.open(f"/{REPOSITORY}/issues/new?template=train.yml")
    site.tab.click("form.fields button.main")
    assert site.tab.run("location.pathname").endswith("/issues/new")
    assert site.tab.run("document.querySelectorAll('form.fields :invalid').length") >= 4


def test_a_document_of_a_repository_runs_no_script_loads_nothing_and_has_no_origin(site: Site) -> None:
    site.become(seed.ASKS)
    site.open(f"/{REPOSITORY}/raw/notes/evil.html")
    assert site.tab.run("document.title") == "calm"
    assert site.tab.run("self.origin") == "null"
    assert site.tab.run("document.images[0].naturalWidth") == 0
    site.tab.click("button")
    site.open("/")
    assert site.tab.run("document.querySelector('.me').textContent") == seed.ASKS
