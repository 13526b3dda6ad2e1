"""The data quality report and the feature documentation: complete, escaped, and silent about groups under ten rows."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from mlops_core.contracts.dataset import (
    ColumnProfile,
    ColumnQuality,
    DataJobConfig,
    DataProfile,
    FeatureDoc,
    FeatureDocs,
    FeatureSpec,
    FeatureStep,
    FileQuality,
    Finding,
    NumericColumn,
)
from mlops_core.contracts.quality import Check, Miss, MissedExpectation, QualityReport, Shift, SuiteRun
from mlops_core.contracts.relations import Association, CorrelatedPair, Relations
from mlops_core.contracts.request import Language
from mlops_core.reporting.features import render_features
from mlops_core.reporting.pages import words as words_of
from mlops_core.reporting.quality import render_quality
from mlops_core.reporting.relations import heat_map
from tests.unit.reporting.looked import profile
from tests.unit.reporting.well_formed import check

LANGUAGES = get_args(Language)
CONFIG = DataJobConfig(task="binary", target="<b>won</b>", positive_label="=yes", drop_columns=("id",))
COLUMNS = (
    ColumnProfile(
        name="age", type="int64", rows=1280, missing=64, distinct=60, minimum=17, maximum=90, mean=38.5, deviation=13.0,
        quantiles=(18.0, 20.0, 28.0, 37.0, 48.0, 60.0, 74.0), edges=(22.0, 28.0, 37.0, 48.0, 60.0), shares=(0.1, 0.2, 0.2, 0.2, 0.2, 0.1),
    ),
    ColumnProfile(
        name="=cmd()", type="string", rows=1280, missing=800, distinct=3,
        categories=(("<i>Oslo</i>", 0.6), ("Bergen", 0.39), ("only nine live here", 9 / 480)),
    ),
    ColumnProfile(name="note", type="string", rows=1280, missing=1280, distinct=0, dropped="empty"),
    ColumnProfile(name="id", type="int64", rows=1280, missing=0, distinct=0, dropped="requested"),
)  # fmt: skip
ALL_COLUMNS = (
    ColumnQuality(
        name="age", type="int64", rows=2000, missing=100, misfits=3, distinct=60, minimum=17, maximum=90, far=2, codes=((999.0, 12),),
        quantiles=(18.0, 20.0, 28.0, 37.0, 48.0, 60.0, 74.0), edges=(18.0, 32.0, 46.0, 60.0, 74.0), counts=(700, 600, 500, 100),
        notation="thousands",
    ),
    ColumnQuality(
        name="=cmd()", type="string", rows=2000, missing=1250, misfits=0, distinct=3,
        categories=(("<i>Oslo</i>", 450), ("Bergen", 291), ("only nine live here", 9)),
    ),
    ColumnQuality(
        name="since", type="datetime", rows=2000, missing=0, misfits=0, distinct=60, minimum=0, maximum=9e8,
        quantiles=(0.0, 1e7, 1e8, 5e8, 6e8, 7e8, 8e8), edges=(0.0, 4e8, 8e8), counts=(900, 1100),
    ),
    ColumnQuality(name="note", type="string", rows=2000, missing=2000, misfits=0, distinct=0),
)  # fmt: skip
RELATIONS = Relations(
    rows=1000, of_rows=1280, columns=("=sum()", "age", "since"), correlations=((), (0.9712,), (-0.4, None)), pair_count=3,
    pairs=(CorrelatedPair(left="=sum()", right="age", r=0.9712, rows=900),),
    associations=(
        Association(column="=sum()", measure="eta", value=0.96, rows=1000, auc=0.8123),
        Association(column="<i>city", measure="cramers_v", value=0.3, rows=700),
        Association(column="age", measure="eta", value=0.2, rows=1000, auc=0.31),
        Association(column="nine", measure="eta", value=0.1, rows=9),
    ),
)  # fmt: skip
SPEC = FeatureSpec(
    task="binary", target="<b>won</b>", numeric=(NumericColumn(name="age", type="int64", fill=37.0),), categorical=(),
    missing_values="median", scaling="none",
)  # fmt: skip


def data(**changes: Any) -> DataProfile:
    file = FileQuality(bytes=123_456, encoding="cp1252", separator=";", ragged=4)
    return profile(
        columns=COLUMNS, all_columns=ALL_COLUMNS, file=file, class_shares={"no": 0.75, "=yes": 0.2445, "seven rows": 0.0055}, **changes
    )


def report(*checks: Check, **suite: Any) -> QualityReport:
    return QualityReport(spec_digest="cd" * 32, checks=checks, suite=SuiteRun(expectations=9, version="1.24.1", **suite))


def quality(language: Language = "en", *checks: Check, **suite: Any) -> str:
    return render_quality(data(), report(*checks, **suite), config=CONFIG, language=language)


def documented(language: Language = "en", *docs: FeatureDoc) -> str:
    features = FeatureDocs(spec_digest="cd" * 32, rows=1280, features=docs)
    return render_features(features, SPEC, profile=data(), config=CONFIG, language=language)


def hot(category: str) -> FeatureDoc:
    steps = (FeatureStep(kind="fill", values={"value": "missing"}), FeatureStep(kind="one_hot", values={"category": category}))
    return FeatureDoc(name=f"=cmd() = {category}", column="f1", sources=("=cmd()",), steps=steps, filled_share=0.625)


AGE = FeatureDoc(
    name="age", column="f0", sources=("age",), filled_share=0.05,
    steps=(
        FeatureStep(kind="clip", values={"low": 10.0, "high": 80.0}),
        FeatureStep(kind="fill", values={"value": 37.0}),
        FeatureStep(kind="scale", values={"rule": "standard", "center": 38.5, "width": 13.0}),
    ),
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_quality_report_is_one_escaped_page_in_both_languages(language: Language) -> None:
    """Abuse row 83."""
    page = quality(language, Check(name="target_filled", kind="schema", part="train", rows=1280, columns=1))
    words = check(page)
    assert ("データ品質" in words) == (language == "ja")
    assert "&lt;i&gt;Oslo&lt;/i&gt;" in page
    assert "'=cmd()" in words
    assert " =cmd()" not in words


def test_warnings_with_what_to_do_come_before_everything_else() -> None:
    words = check(quality())
    assert words.index("with 1 warning") < words.index("W-DATA-001") < words.index("Duplicate rows: drop") < words.index("Next")
    assert words.index("Next") < words.index("Overview")
    calm = render_quality(data(findings=()), report(), config=CONFIG, language="en")
    assert "Ready to train: nothing to warn of" in check(calm)


def test_a_missed_check_names_the_columns_and_what_was_expected() -> None:
    miss = Miss(column="age", count=40, share=0.125, expected=0.01)
    words = check(quality("en", Check(name="in_range", kind="statistic", part="validation", rows=320, columns=1, missed=(miss,))))
    assert "age: 12.5 % (expected 1.0 %)" in words
    assert "all 320 rows" in words


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Not trained: the data did not pass the quality gate"), ("ja", "学習していません：データが品質検査に合格しませんでした")],
)
def test_what_stopped_the_run_stands_first(language: Language, said: str) -> None:
    stop = Finding(code="E-QUALITY-001", columns=("age",), values={"split": "test", "check": "column_filled", "count": 40, "rows": 40})
    page = render_quality(data(findings=(*data().findings, stop)), report(), config=CONFIG, language=language)
    words = check(page)
    assert words.index(said) < words.index("E-QUALITY-001") < words.index("W-DATA-001")
    assert 'class="state bad"' in page


def test_a_suite_that_saw_every_row_speaks_of_no_sample() -> None:
    missed = (MissedExpectation(type="expect_column_values_to_be_between", column="age", share=0.217),)
    words = check(quality("en", executed=True, rows=891, of_rows=891, passed=8, missed=missed))
    assert "8 of 9 expectations hold on all 891 rows" in words
    assert "age: 21.7 % of the values do not meet it" in words
    assert "sample of 891 of 2,000 rows" in check(quality("en", executed=True, rows=891, of_rows=2000, passed=9))


def test_a_page_without_stability_says_why() -> None:
    moved = QualityReport(
        spec_digest="cd" * 32, checks=(), suite=SuiteRun(expectations=9), shifts=(Shift(column="age", part="test", psi=0.3, rows=600),)
    )
    assert "a split needs 500 rows" in check(quality())
    assert "a split needs 500 rows" not in check(render_quality(data(), moved, config=CONFIG, language="en"))


def test_categories_and_classes_under_ten_rows_are_counted_and_not_named() -> None:
    words = check(quality())
    assert "only nine live here" not in words
    assert "1 more category," in words
    assert "seven rows" not in words
    features = check(documented("en", hot("<i>Oslo</i>"), hot("only nine live here")))
    assert "only nine live here" not in features
    assert "1 category with fewer than ten training rows is not named" in features


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"split": "random"}, "Split At random; equal rows share a side. Preparation"),
        ({"split": "group", "group_column": "<site>"}, "By <site>: all rows of a group are on one side."),
        ({"split": "time", "split_gap": 48}, "in the order of the file: the last rows are the test split. 48 rows are left out before"),
        ({"split": "time", "time_column": "day", "has_test_file": True}, "the test split. The test split is the file that was given."),
    ],
)
def test_how_the_rows_were_divided_is_said_in_words(settings: dict[str, Any], said: str) -> None:
    config = CONFIG.model_copy(update={**settings, "drop_columns": ("id", "note"), "date_parts": True})
    words = check(render_quality(data(), report(), config=config, language="en"))
    assert said in words
    assert "drop_columns=id, note" in words
    assert "date_parts=true" in words


def test_what_is_left_out_names_no_category_under_ten_rows_and_no_pair() -> None:
    few, many = hot("only nine live here"), hot("Bergen")
    left = [item.model_copy(update={"column": "", "left_out": "importance", "reason": {"gain_share": 0.0028}}) for item in (few, many)]
    pair = FeatureDoc(
        name="Ada & 1815", column="f2", sources=("=cmd()", "age"),
        steps=(FeatureStep(kind="cross"), FeatureStep(kind="one_hot", values={"category": "Ada & 1815"})),
    )  # fmt: skip
    like = FeatureDoc(name="x", sources=("age",), left_out="correlation", reason={"with": pair.name, "r": 0.9714})
    words = check(documented("en", *left, pair, like))
    assert "only nine" not in words
    assert "Ada" not in words
    assert "1 category, not named" in words
    assert "Bergen '=cmd() not among the most important: 0.3 % of the gain" in words
    assert "1 pair is not named" in words
    assert "nearly the same as =cmd(), age (r 0.9714)" in words.replace("'=", "=")


def test_a_fill_that_fewer_than_ten_rows_hold_is_not_named() -> None:
    fill = FeatureStep(kind="fill", values={"value": "only nine live here"})
    words = check(documented("en", hot("Bergen").model_copy(update={"steps": (fill,)})))
    assert "only nine" not in words
    assert "missing becomes the most frequent value" in words


def test_moments_are_shown_as_dates_and_years_without_separators() -> None:
    since = FeatureDoc(
        name="since", column="f0", sources=("since",),
        steps=(FeatureStep(kind="fill", values={"value": 1_314_144_000.0}), FeatureStep(
            kind="scale", values={"rule": "standard", "center": 1_314_144_000.0, "width": 172_800.0}),
        ),
    )  # fmt: skip
    year = FeatureDoc(
        name="since (year)", column="f1", sources=("since",),
        steps=(FeatureStep(kind="date_part", values={"part": "year"}), FeatureStep(kind="fill", values={"value": 2011.0})),
    )  # fmt: skip
    columns = (ColumnProfile(name="since", type="datetime", rows=1280, missing=0, distinct=60), *COLUMNS)
    features = FeatureDocs(spec_digest="cd" * 32, rows=1280, features=(since, year))
    words = check(render_features(features, SPEC, profile=data().model_copy(update={"columns": columns}), config=CONFIG, language="en"))
    assert "missing becomes 2011-08-24 less the mean 2011-08-24, divided by the deviation 2 d" in words
    assert "missing becomes 2011 " in words


def related(language: Language = "en", **changes: Any) -> str:
    found = data(relations=RELATIONS.model_copy(update=changes))
    return render_quality(found, report(), config=CONFIG, language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_goes_with_the_target_stands_by_strength_with_its_measure_and_rows(language: Language) -> None:
    page = related(language)
    words = check(page)
    if language == "en":
        assert "What goes with <b>won</b> '=sum() 0.96 η, AUC 0.81 <i>city 0.30 V, 700 rows age 0.20 η, AUC 0.31 1,000 of 1,280" in words
        assert "AUC: how often a row of '=yes has the greater number" in words
        assert 'aria-label="age: η 0.20 on 1,000 rows"' in page
        assert "Over 0.95: will the column be known" in words
        assert "Spearman" not in words
    else:
        assert "との関連が強い列" in words
    assert "nine" not in words.replace("only nine live here", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_map_of_correlations_says_every_figure_and_names_near_twins(language: Language) -> None:
    page = related(language)
    words = check(page)
    assert page.count('<rect class="shaded') == 3
    assert page.count('<rect class="shaded second"') == 1
    for told in ("0.97", "-0.40", "–", "since"):
        assert told in words, told
    if language == "en":
        assert 'aria-label="Correlations of 3 numeric columns; the strongest is 0.97, of &#39;=sum() and age"' in page
        assert "3 pairs say nearly the same (over 0.95): one of each would do '=sum() and age: r 0.97 2 more" in words


def test_a_profile_from_before_there_were_relations_still_makes_a_page() -> None:
    old = DataProfile.model_validate_json(data().model_dump_json(exclude={"relations"}))
    words = check(render_quality(old, report(), config=CONFIG, language="en"))
    assert "goes with" not in words
    assert "Each column" in words


def test_bars_without_a_map_and_a_map_without_bars_have_the_row_to_themselves() -> None:
    bars, alone = related(columns=(), correlations=(), pairs=(), pair_count=0), related(associations=())
    assert "What goes with" in check(bars)
    assert "numeric columns go together" not in check(bars)
    assert "What goes with" not in check(alone)
    assert "numeric columns go together" in check(alone)


def test_all_training_rows_are_called_all_and_only_the_strongest_are_drawn() -> None:
    many = tuple(Association(column=f"c{place}", measure="spearman", value=-0.5, rows=1280) for place in range(20))
    words = check(related(rows=1280, associations=many))
    assert "All 1,280 training rows" in words
    assert "c14 -0.50 ρ" in words
    assert "c15" not in words
    assert "5 more are in the JSON file" in words
    assert "rank correlation, its sign the direction" in words


@pytest.mark.parametrize(("count", "figure"), [(2, "0.93"), (10, ".93"), (10, "-.07"), (10, "-1")])
def test_a_map_keeps_its_cells_and_names_in_the_box(count: int, figure: str) -> None:
    names = [*("日本語の長い長い列の名前" if place % 2 else "AColumnWithoutAnyBlank" * 3 for place in range(count - 1)), "x"]
    half = [[(0.93, -0.0695, -1.0)[(line + place) % 3] for place in range(line)] for line in range(count)]
    half[1] = [0.93]
    made = heat_map(names, half, words_of("en"))
    assert made is not None
    assert any(label.text == figure for label in made.figures)
    assert all(cell.x >= 0 and cell.x + cell.width <= made.width and cell.y + cell.height <= made.height for cell in made.cells)
    assert all(label.text in {"x", label.title} or label.text.endswith("…") for label in made.names)
    assert all(label.x + 7 * sum(2 if ord(letter) > 0x3000 else 1 for letter in label.text) <= 361 for label in made.names)


def test_columns_that_never_vary_together_have_no_map() -> None:
    assert heat_map(("a", "b"), ((), (None,)), words_of("en")) is None


def test_a_column_s_oddities_and_the_file_s_repairs_are_told() -> None:
    words = check(quality())
    for told in (
        "3 values do not fit the type",
        "numbers written with thousands separators",
        "2 values lie far outside",
        "999 probably stands for missing (12 values)",
        "cp1252, separator ; (semicolon)",
        "Lines of another width left out 4",
        "1970-01-01",
        "left out: empty",
        "62.5 %",
    ):
        assert told in words, told


def test_the_columns_that_moved_most_are_drawn_with_split_and_rows() -> None:
    moved = report().model_copy(update={"shifts": (Shift(column="age", part="test", psi=0.31, rows=400),)})
    words = check(render_quality(data(), moved, config=CONFIG, language="en"))
    assert "age 0.3100 Test, 400 rows" in words
    assert "0.2, where a shift counts" in words


def test_the_suite_says_what_it_saw() -> None:
    assert "9 expectations were generated" in check(quality())
    missed = (MissedExpectation(type="expect_column_values_to_be_between", column="age", share=0.03),)
    ran = check(quality("en", executed=True, rows=98_012, of_rows=500_000, passed=8, seed=42, missed=missed))
    assert "8 of 9 expectations hold on a sample of 98,012 of 500,000 rows (seed 42" in ran
    assert "expect_column_values_to_be_between age: 3.0 % of the values do not meet it" in ran


def test_a_finding_nobody_explains_is_still_shown() -> None:
    page = render_quality(data(findings=(Finding(code="W-NEW-001", columns=("age",)),)), report(), config=CONFIG, language="ja")
    assert "W-NEW-001" in check(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_of_a_feature_is_told_with_its_fitted_values(language: Language) -> None:
    words = check(documented(language, AGE, hot("Bergen")))
    for told in ("38.50", "13", "37", "10", "80", "5.0 %", "f0", "Bergen"):
        assert told in words, told
    assert ("held between 10 and 80" in words) == (language == "en")


def test_features_and_columns_that_are_left_out_say_why() -> None:
    left = FeatureDoc(name="weight", sources=("weight",), left_out="correlation", reason={"with": "height", "r": 0.97})
    words = check(documented("en", AGE, left))
    assert "nearly the same as height (r 0.9700)" in words
    assert "left out: empty" in words
    assert "left out by the request" in words


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("ratio", {}, "a divided by b"),
        ("product", {}, "a times b"),
        ("cross", {}, "every pair of a and b"),
        ("date_part", {"part": "weekday"}, "weekday (Monday 0) of the date"),
        ("label", {"categories": 12}, "the place of the category among 12"),
        ("target", {"categories": 12, "smoothing": 10.0, "prior": 0.24, "label": "yes"}, "over 12 categories"),
        ("scale", {"rule": "robust", "center": 3.0, "width": 2.0}, "less the median 3,"),
    ],
)
def test_steps_in_words(kind: Any, values: dict[str, Any], told: str) -> None:
    doc = FeatureDoc(name="made", column="f0", sources=("a", "b"), steps=(FeatureStep(kind=kind, values=values),))
    assert told in check(documented("en", doc))
