"""Stations send keys; every key has words in both languages, nothing goes round the catalogue, every code has its Japanese sentence."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlops_core
from mlops_core import judging
from mlops_core.agents.following import _HEADLINES
from mlops_core.contracts.changes import Text
from mlops_core.contracts.dataset import Finding
from mlops_core.contracts.request import Language
from mlops_core.contracts.stops import DATA_STOPPED, EVALUATION_STOPPED, GATE
from mlops_core.errors import Defect, InvalidRequest
from mlops_core.reporting.messages import CATALOGUES, plain
from mlops_core.reporting.messages.failures import FAILURES
from mlops_core.reporting.messages.wording import answered, explained, gist, in_both, said, warned
from tests.unit.reporting.states import verdict

ROOT = Path(mlops_core.__file__).parent
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
RAISING = ("jobs", "agents", "capabilities", "runs", "evaluation", "features", "judging.py", "intake/commands.py")
TELLING = ("agents", "capabilities", "runs")


def trees(*places: str) -> Iterator[tuple[str, ast.Module]]:
    """The parsed sources below some folders of the package."""
    for place in places:
        folder = ROOT / place
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Every call of a function by its plain name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def values_of(text: str) -> dict[str, str | int | float]:
    """A value of the right kind for every placeholder: a number where a number format stands."""
    found: dict[str, str | int | float] = {}
    for _, name, form, _ in string.Formatter().parse(text):
        if name is not None:
            found[name] = 0.125 if form and form[-1] in "fg" else 12345 if form else f"<{name}>"
    return found


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_message_can_be_filled_in_every_language(language: Language) -> None:
    for key, text in CATALOGUES[language].items():
        values = values_of(CATALOGUES["en"][key])
        filled = plain(language, key, **values)
        assert "{" not in filled, key
        assert all(str(value) in filled for value in values.values() if isinstance(value, str) and f"{{{value[1:-1]}}}" in text), key


def test_every_line_of_a_station_is_a_key_with_exactly_its_values() -> None:
    seen = set()
    for path, tree in trees(*TELLING):
        for call in calls(tree, "line"):
            key = call.args[0]
            assert isinstance(key, ast.Constant), f"{path}:{call.lineno} computes its key"
            assert str(key.value) in CATALOGUES["en"], f"{path}:{call.lineno} names {key.value!r}"
            starred = any(word.arg is None for word in call.keywords)
            given = {word.arg for word in call.keywords}
            assert starred or given == set(values_of(CATALOGUES["en"][str(key.value)])), f"{path}:{call.lineno} {given}"
            seen.add(str(key.value))
    assert {key for key in CATALOGUES["en"] if key.startswith("detail.")} == seen


def test_no_station_writes_a_phase_line_in_words_of_its_own() -> None:
    found = []
    for path, tree in trees("agents"):
        for call in calls(tree, "phase"):
            given = call.args[2] if len(call.args) > 2 else next((word.value for word in call.keywords if word.arg == "detail"), None)
            if isinstance(given, ast.Constant) and given.value is None:
                continue
            if isinstance(given, ast.JoinedStr | ast.Constant | ast.BinOp):
                found.append(f"{path}:{call.lineno}")
    assert found == []


def test_reasons_of_a_plan_come_from_the_catalogue() -> None:
    (_, tree) = next(trees("capabilities/optimization.py"))
    told = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)]
    words = [item for node in told if isinstance(node.value, ast.Tuple) for item in node.value.elts if isinstance(item, ast.JoinedStr)]
    assert words == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_words_for_machine_ends_are_those_that_the_machine_and_the_agent_use(language: Language) -> None:
    machine = (ROOT.parent / "stepfunctions" / "pipeline.asl.json").read_text(encoding="utf-8")
    agent = (ROOT / "agents" / "history.py").read_text(encoding="utf-8")
    for name in ("expired", "timed_out", "aborted", "unknown"):
        words = CATALOGUES["en"][f"reason.{name}"]
        assert f'"{words}"' in (machine if name == "expired" else agent)
        assert explained(language, words) == CATALOGUES[language][f"reason.{name}"]


def codes() -> set[str]:
    """Every error code that stands in a call of the sources whose errors reach people."""
    found = {f"E-JOB-{status.upper().replace('_', '-')}" for status in _HEADLINES}
    for _, tree in trees(*RAISING):
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return {code for code in found if code.startswith("E-")} | {GATE, DATA_STOPPED, EVALUATION_STOPPED}


def test_every_code_has_a_japanese_sentence_and_none_is_left_over() -> None:
    assert len(codes()) > 60
    assert codes() - FAILURES.keys() == set()
    adapters = {"E-AWS-CHECKSUM", "E-AWS-KEY", "E-JOB-NAME", "E-NAME-TAKEN", "E-RUN-NAME"}
    assert FAILURES.keys() - codes() - adapters == set()
    assert [code for code, text in FAILURES.items() if not JAPANESE.search(text) or not text.endswith("。")] == []


def test_a_coded_reason_is_explained_in_japanese_and_keeps_its_own_words() -> None:
    reason = "InvalidRequest: the target 'y' holds a single value. (E-DATA-012)"
    whole = explained("ja", reason)
    assert whole.startswith("目的変数の値が 1 種類しかありません。")
    assert whole.endswith(f"エラーの原文：{reason}")
    assert "\n" not in gist("ja", reason)
    assert explained("en", reason) == gist("en", reason) == reason
    assert explained("ja", "Boom: nobody knows (E-NEW-001)") == "Boom: nobody knows (E-NEW-001)"


def test_the_judges_reason_is_said_in_the_language_of_the_run() -> None:
    missed = verdict("refuse", 0.9)
    assert explained("ja", judging.reason(missed), missed) == "依頼のしきい値：ROC AUCは 0.9 でした。要求値は 0.92 以上です。"
    assert explained("en", judging.reason(missed), missed) == judging.reason(missed)


def test_values_that_are_words_of_ours_are_translated_and_others_stay() -> None:
    line = Text(key="detail.measured", values={"split": "validation", "metric": "accuracy", "value": 0.91234, "rows": 5210})
    assert said("en", line) == "validation split: accuracy 0.9123 on 5,210 rows"
    assert said("ja", line) == "検証データ 5,210 行：正解率 0.9123"
    assert said("ja", Text(key="detail.job", values={"status": "Uploading"})) == "状況：成果物をアップロード中"
    assert said("en", Text(key="detail.job", values={"status": "Dreaming"})) == "Dreaming"
    told = said("ja", Text(key="detail.failed", values={"reason": "the job ended. (E-JOB-005)"}))
    assert told.startswith("原因：ジョブのメモリが不足しました。")


def test_a_line_that_cannot_be_filled_is_a_defect() -> None:
    with pytest.raises(Defect, match=r"detail\.round"):
        said("en", Text(key="detail.round"))


@pytest.mark.parametrize(
    ("finding", "english", "japanese"),
    [
        (
            Finding(code="W-DATA-001", values={"rows": 2400, "action": "drop"}),
            "2,400 duplicate rows were dropped",
            "重複した 2,400 行を除外しました",
        ),
        (
            Finding(code="W-DATA-008", columns=("age",), values={"missing": 20, "rows": 30}),
            "age: 20 of 30 values are missing",
            "列 age：30 件のうち 20 件が欠損しています",
        ),
        (
            Finding(code="W-DATA-005", columns=("id",), values={"dropped": 0, "distinct": 99}),
            "id: the column looks like an identifier (99 distinct values) and was kept",
            "列 id：識別子とみられますが（値は 99 種類）、残しています",
        ),
        (
            Finding(code="W-DATA-010", columns=("y",), values={"a": 3}),
            "y: some classes have very few rows (a 3)",
            "列 y：行数がごく少ないクラスがあります（a 3）",
        ),
        (
            Finding(code="W-DATA-032", values={"gap": 48, "without_time": 0}),
            "48 rows in the gaps of the split by time were left out",
            "時間分割の間隔にある 48 行を除外しました",
        ),
        (
            Finding(code="W-DATA-032", values={"gap": 0, "without_time": 1}),
            "1 row without a time was left out",
            "時刻のない 1 行を除外しました",
        ),
        (Finding(code="W-NEW-001", values={"n": 1}), "n 1", "n 1"),
    ],
    ids=lambda item: item.code if isinstance(item, Finding) else "",
)  # fmt: skip
def test_a_finding_is_one_readable_sentence(finding: Finding, english: str, japanese: str) -> None:
    assert (warned("en", finding).text, warned("ja", finding).text) == (english, japanese)


def test_a_figure_is_told_without_powers_of_ten() -> None:
    line = Text(key="detail.measured", values={"split": "test", "metric": "rmse", "value": 67_884.96, "rows": 4128})
    assert said("en", line) == "test split: RMSE 67,885.0 on 4,128 rows"


def test_an_error_without_a_known_language_speaks_both() -> None:
    error = InvalidRequest("'max_dept' is not a hyperparameter here.", remedy="Comment again.", code="E-COMMAND-010")
    assert in_both(error).startswith(str(error))
    assert JAPANESE.search(in_both(error))
    assert answered("en", error) == str(error)
    assert answered("ja", error).startswith(FAILURES["E-COMMAND-010"])
