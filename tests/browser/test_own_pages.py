"""The pages of a run with ordinary and with hostile names: they fit two widths, can be read in both schemes, and log no error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_core.contracts.dataset import ColumnQuality, DataJobConfig, FeatureDoc, FeatureDocs, FeatureSpec, FeatureStep, Finding
from mlops_core.contracts.quality import Check, Miss, QualityReport, SuiteRun
from mlops_core.contracts.relations import Association, CorrelatedPair, Relations
from mlops_core.contracts.run import RunWarning
from mlops_core.reporting.features import render_features
from mlops_core.reporting.judged import with_verdict
from mlops_core.reporting.quality import render_quality
from tests.browser import chromium, looks
from tests.browser.chromium import Chromium, Tab
from tests.browser.test_pages import LOOKS
from tests.unit.reporting import looked, states
from tests.unit.reporting import test_pages_of_the_data as data

pytestmark = pytest.mark.browser
LONG = "AColumnWithoutAnyBlank" * 11
NAMES = (LONG, '=HYPERLINK("x")', "<script>alert(1)</script>", "\u202eevil", "日本語の列名" * 12, *(f"c{number}" for number in range(300)))
CONFIG = DataJobConfig(task="multiclass", target=LONG)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if not chromium.find():
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium); CHROMIUM may name one")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.tab()


def report() -> str:
    """Many classes, long names, many warnings."""
    labels = (LONG, "=cmd()", "\u202ex", *(f"class {number}" for number in range(20)))
    cells = [[10**6 if row == column else 12_345 for column in labels] for row in labels]
    figures = {label: {"rows": 1e6, "precision": 0.5, "recall": 0.5, "f1": 0.5} for label in labels}
    curves = [looked.curve(label, 0.3) for label in labels[:12]]
    page = looked.page("multiclass", "en", labels=labels, confusion=cells, per_class=figures, roc=curves, protected_absent=[LONG])
    warnings = tuple(RunWarning(code="W-DATA-003", text=LONG * 2) for _ in range(40))
    return with_verdict(page, states.state(verdict=states.verdict("refuse"), warnings=warnings))


def relations() -> Relations:
    """Ten hostile names in the map, figures from one end to the other."""
    half = tuple(tuple(round(1 - 2 * (place + line) / 17, 2) for place in range(line)) for line in range(10))
    bars = tuple(Association(column=name, measure="eta", value=0.97, rows=900_000_000, auc=0.5) for name in NAMES)
    pairs = tuple(CorrelatedPair(left=name, right=LONG, r=0.99, rows=10**9) for name in NAMES[:20])
    return Relations(rows=10**9, of_rows=10**10, associations=bars, columns=NAMES[:10], correlations=half, pairs=pairs, pair_count=20)


def quality() -> str:
    """Hundreds of columns, every check missed."""
    columns = tuple(
        ColumnQuality(name=name, type="string", rows=1000, missing=place, misfits=3, distinct=9, categories=((LONG, 500), ("=cmd()", 300)))
        for place, name in enumerate(NAMES)
    )
    profile = looked.profile(
        all_columns=columns,
        class_shares={LONG: 0.5, "=x": 0.5},
        findings=(Finding(code="W-DATA-003", columns=NAMES[:3]),),
        relations=relations(),
    )
    missed = tuple(Miss(column=name, count=9, share=0.3) for name in NAMES)
    checks = [Check(name="in_range", kind="statistic", part=part, rows=10**9, columns=305, missed=missed) for part in profile.rows]
    made = QualityReport(spec_digest="ab" * 32, checks=tuple(checks), suite=SuiteRun(expectations=900, version="1.24.1"))
    return render_quality(profile, made, config=CONFIG, language="ja")


def features() -> str:
    """Long categories of long columns."""
    docs = tuple(
        FeatureDoc(name=f"{name} = {value}", column="f1", sources=(name,), steps=(FeatureStep(kind="one_hot", values={"category": value}),))
        for name in NAMES[:40]
        for value in (LONG, "=c")
    )
    spec = FeatureSpec(task="multiclass", target=LONG, numeric=(), categorical=(), missing_values="median", scaling="none")
    made = FeatureDocs(spec_digest="ab" * 32, rows=640, features=docs)
    return render_features(made, spec, profile=looked.profile(), config=CONFIG, language="en")


PAGES = {
    "report": lambda: looked.page("binary"),
    "regression": lambda: looked.page("regression", "ja"),
    "quality": data.quality,
    "related": data.related,
    "features": lambda: data.documented("en", data.AGE, data.hot("Bergen")),
    "hostile report": report,
    "hostile quality": quality,
    "hostile features": features,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_run_fits_and_can_be_read(tab: Tab, tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGES[name](), encoding="utf-8")
    for width, scheme in LOOKS:
        tab.look(width, scheme)
        tab.open(path.as_uri())
        assert tab.run(looks.OVERFLOW) <= 0, (width, tab.run(looks.WIDE))
        assert tab.run(looks.CONTRAST) == [], (width, scheme)
        assert tab.complaints() == []


def test_the_figures_on_a_heat_map_can_be_read(tab: Tab, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(quality(), encoding="utf-8")
    for width, scheme in LOOKS:
        tab.look(width, scheme)
        tab.open(path.as_uri())
        found = tab.run(looks.ON_CELLS)
        assert len(found) == 45
        assert min(found) >= 4.5, (width, scheme)
        assert len(set(found)) > 5
