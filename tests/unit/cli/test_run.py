"""What `mlops run` settles before the platform starts, and what it says, in both languages."""

from __future__ import annotations

import argparse
import base64
import io
import urllib.error
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from mlops_core.cli import run
from mlops_core.cli.console import Console, padded
from mlops_core.cli.platform import Platform
from mlops_core.cli.result import collect, summary
from mlops_core.contracts.run import RunState
from mlops_core.errors import InvalidRequest, NotFound
from tests.unit.mcp_server import world as w
from tests.unit.reporting import looked, states


def test_a_test_file_of_its_own_passes_the_check(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("a,y\n" + "1,yes\n2,no\n" * 40)
    parser = argparse.ArgumentParser()
    run.configure(parser)
    files = ["--data", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
    given = parser.parse_args([*files, "--target", "y", "--positive", "yes"])
    run.check(given, Console(io.StringIO(), io.StringIO()))
    assert given.task == "binary"


def test_the_result_is_told_in_the_language_of_the_request() -> None:
    lines = told(states.succeeded(request=states.request(language="ja"), warnings=()))
    assert lines[0] == "成功: income 1.0.0"
    assert "  判定           合格（判定の根拠：依頼のしきい値）" in lines
    assert "  Issue のページ https://example.org/7" in lines
    assert told(states.succeeded(warnings=()))[0] == "succeeded: income 1.0.0"


def test_figures_stand_a_few_on_a_line_with_their_rows_and_the_request_s_metric_first() -> None:
    memory = w.world()
    metrics = {name: looked.spread(0.5) for name in ("accuracy", "precision", "recall", "roc_auc")}
    memory.objects.write("s3://lake/look/results.json", looked.results(metrics=metrics).model_dump_json().encode())
    state = states.succeeded(evaluation_uri="s3://lake/look")
    lines = summary(collect(memory.ports, state, issue_url="", report_url="", endpoint_url=""))
    first, second = next(line for line in lines if line.startswith("  validation")).split("\n")
    assert first.startswith("  validation  n = 400: roc_auc 0.5000 [0.4800, 0.5200], accuracy")
    assert second == "              recall 0.5000 [0.4800, 0.5200]"


def test_the_phases_are_told_in_the_language_of_the_request() -> None:
    err = io.StringIO()
    with Console(io.StringIO(), err).live() as screen:
        screen.show(states.state(request=states.request(language="ja")))
        screen.show(states.state())
    assert "✓ データ準備: 完了" in err.getvalue()
    assert "✓ data: done" in err.getvalue()


def test_a_heading_is_padded_by_the_columns_that_its_letters_take() -> None:
    assert [padded(text, 6) for text in ("判定", "two", "too long")] == ["判定  ", "two   ", "too long"]


def told(state: RunState) -> list[str]:
    return summary(collect(w.world().ports, state, issue_url="https://example.org/7", report_url="", endpoint_url=""))


@pytest.mark.parametrize(
    ("text", "said"),
    [("minimum:\n  roc_auc: 85\n", "minimum.roc_auc 85"), ("fairness_action stop\n", "line 1"), (None, "there is no file")],
)
def test_a_policy_that_cannot_be_read_is_refused_before_anything_starts(tmp_path: Path, text: str | None, said: str) -> None:
    rules = tmp_path / "rules.yml"
    if text is not None:
        rules.write_text(text)
    with pytest.raises((InvalidRequest, NotFound), match=said) as caught:
        run.check(_given("--policy", str(rules)), Console(io.StringIO(), io.StringIO()))
    assert "label again" not in str(caught.value)


class _Repository(Platform):
    """A platform of which only the files of its repository are asked."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, str]] = {}
        self.puts: list[object] = []

    def github_call(self, method: str, path: str, body: object = None, *, login: str = "") -> Any:
        if method == "GET":
            if path not in self.files:
                raise urllib.error.HTTPError(path, 404, "", Message(), None)
            return self.files[path]
        assert isinstance(body, dict)
        assert (login, body.get("sha")) == ("wataru", self.files.get(path, {}).get("sha"))
        self.puts.append(path)
        self.files[path] = {"content": body["content"], "sha": str(len(self.puts))}
        return {}


def test_a_file_is_committed_where_it_is_new_or_other() -> None:
    platform = _Repository()
    for body in (b"a", b"a", b"b"):
        platform.put_file("local/models", ".github/mlops.yml", body)
    assert platform.puts == ["/repos/local/models/contents/.github/mlops.yml"] * 2
    assert base64.b64decode(platform.files[str(platform.puts[0])]["content"]) == b"b"


def _given(*more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run.configure(parser)
    return parser.parse_args(list(more))
