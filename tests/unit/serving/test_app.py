"""What each path answers."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.errors import EnvironmentBroken
from mlops_core.serving import app as app_module
from mlops_core.serving.answers import negotiated
from mlops_core.serving.app import Request, Response
from mlops_core.serving.model import SmokeRow, load, missing
from mlops_core.serving.openapi import example
from mlops_core.serving.rows import Row, Schema
from tests.unit.serving.bench import COLUMNS, LABELS, ROW, Asked, asked, pack


def test_a_binary_answer_has_label_score_and_probabilities(tmp_path: Path) -> None:
    server = asked(tmp_path)
    body = json.loads(server.post({"instances": [ROW]}).body)
    (prediction,) = body["predictions"]
    assert prediction["score"] == pytest.approx(server.app.model.smoke[0].score[0], abs=1e-8)
    assert prediction["label"] == LABELS["binary"][prediction["score"] >= 0.5]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert set(prediction["probabilities"]) == set(LABELS["binary"])
    assert body["model"] == {"name": "income", "version": "1.2.3"}


def test_a_multiclass_answer_names_the_first_of_the_greatest(tmp_path: Path) -> None:
    server = asked(tmp_path, "multiclass")
    (prediction,) = json.loads(server.post(ROW).body)["predictions"]
    assert prediction["probabilities"][prediction["label"]] == prediction["score"] == max(prediction["probabilities"].values())


def test_a_regression_answer_is_a_value(tmp_path: Path) -> None:
    server = asked(tmp_path, "regression")
    assert json.loads(server.post(ROW).body)["predictions"] == [{"score": pytest.approx(server.app.model.smoke[0].score[0], rel=1e-7)}]
    assert float(server.post(ROW, accept="text/csv").body) == pytest.approx(server.app.model.smoke[0].score[0], rel=1e-7)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_csv_in_and_csv_out_agree_with_json(tmp_path: Path, task: str) -> None:
    server = asked(tmp_path, task)
    plain = server.post(b"39,2174,Male\n20,,Female\n", content_type="text/csv", accept="text/csv")
    assert plain.content_type == "text/csv"
    rows = list(csv.reader(io.StringIO(plain.body.decode())))
    expected = json.loads(server.post([ROW, {"age": 20, "sex": "Female"}]).body)["predictions"]
    assert [(label, float(score)) for label, score in rows] == [(item["label"], item["score"]) for item in expected]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_json_lines_in_and_out_agree_with_json(tmp_path: Path, task: str) -> None:
    server = asked(tmp_path, task)
    rows = [ROW | {"age": age} for age in (20, 40, 60)]
    expected = json.loads(server.post(rows).body)["predictions"]
    lines = "\n".join(map(json.dumps, rows)).encode()
    answer = server.post(lines, content_type="application/jsonlines", accept="application/jsonlines")
    assert answer.content_type == "application/jsonlines"
    assert [json.loads(line) for line in answer.body.splitlines()] == expected
    assert json.loads(server.post(lines, content_type="application/jsonlines").body)["predictions"] == expected


def test_one_row_and_a_thousand_rows_get_the_same_scores(tmp_path: Path) -> None:
    server = asked(tmp_path)
    rows = [{"age": age, "gain": age * 7.5, "sex": "Male" if age % 3 else "Female"} for age in range(1000)]
    together = json.loads(server.post({"instances": rows}).body)["predictions"]
    alone = [json.loads(server.post(row).body)["predictions"][0] for row in rows[:50]]
    assert together[:50] == alone


def test_requests_of_one_turn_share_a_batch_and_get_their_own_rows(tmp_path: Path) -> None:
    server = asked(tmp_path)
    bodies = [json.dumps([ROW | {"age": age}] * (1 + age % 2)).encode() for age in range(20, 40)]
    answers: list[tuple[int, Response]] = []
    for place, body in enumerate(bodies):
        server.app.answer(Request("POST", "/invocations", {}, body), lambda response, place=place: answers.append((place, response)))  # type: ignore[misc]
    assert answers == []
    server.turn.run()
    assert server.app.metrics.batches == 1
    alone = [json.loads(server.post(body).body) for body in bodies]
    assert [json.loads(response.body) for _, response in sorted(answers)] == alone


def test_a_large_body_is_answered_in_the_background_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "LARGE_BODY", 1000)
    monkeypatch.setattr(app_module, "_ROWS_AT_ONCE", 7)
    server = asked(tmp_path)
    rows = [ROW | {"age": age} for age in range(100)]
    found = json.loads(server.post(rows).body)["predictions"]
    assert found == [json.loads(server.post(row).body)["predictions"][0] for row in rows]
    assert len(server.post(rows, accept="text/csv").body.splitlines()) == 100


def test_too_many_waiting_large_bodies_are_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "LARGE_BODY", 10)
    monkeypatch.setattr(app_module, "_WAITING_BYTES", 8 * len(json.dumps(ROW)))
    server = asked(tmp_path)
    answers: list[Response] = []
    for _ in range(9):
        server.app.answer(Request("POST", "/invocations", {}, json.dumps(ROW).encode()), answers.append)
    assert [answer.status for answer in answers] == [503]
    assert ("Retry-After", "1") in answers[0].headers
    server.turn.run()
    assert sorted(answer.status for answer in answers) == [200] * 8 + [503]


def test_bad_rows_are_counted_and_nothing_is_scored(tmp_path: Path) -> None:
    server = asked(tmp_path)
    response = server.post([ROW, ROW | {"age": "x"}])
    assert response.status == 400
    error = json.loads(response.body)["errors"][0]
    assert (error["row"], error["field"], error["value"]) == (1, "age", "x")
    assert server.app.metrics.rows == 0
    assert b"mlops_invalid_values_total 1" in server.ask("GET", "/metrics").body


@pytest.mark.parametrize("kind", ["image/png", "application/x-npy", "text/csv; charset=latin-1"])
def test_an_unknown_content_type_is_415(tmp_path: Path, kind: str) -> None:
    assert asked(tmp_path).post(b"x", content_type=kind).status == 415


def test_headers_that_never_repeat_are_not_remembered_without_end(tmp_path: Path) -> None:
    server = asked(tmp_path)
    for number in range(400):
        assert server.post(ROW, accept=f"text/html;q=0.{number}, text/csv").content_type == "text/csv"
    assert len(server.app._plans) <= 256


def test_a_mistake_of_ours_in_reading_costs_one_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = asked(tmp_path)

    def broken(_self: object, _body: bytes) -> list[Row]:
        raise RuntimeError

    monkeypatch.setattr(Schema, "from_csv", broken)
    for large in (1_000_000, 1):
        monkeypatch.setattr(app_module, "LARGE_BODY", large)
        assert server.post(b"39,1,Male", content_type="text/csv").status == 500
    assert server.post(ROW).status == 200


def test_a_compressed_body_is_415(tmp_path: Path) -> None:
    assert asked(tmp_path).post(b"x", content_encoding="gzip").status == 415


def test_an_accept_header_that_cannot_be_met_is_406(tmp_path: Path) -> None:
    assert asked(tmp_path).post(ROW, accept="image/png").status == 406


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.4, application/json;q=0.9", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        ("text/html", None),
        ("application/jsonlines", "application/jsonlines"),
        ("application/*", "application/json"),
        ("text/csv;q=0.5, application/jsonlines;q=0.5", "application/jsonlines"),
        (", ;q=,", None),
    ],
)
def test_the_accept_header_is_negotiated_by_weight(accept: str, chosen: str | None) -> None:
    assert negotiated(accept) == chosen


def test_ping_is_200_only_while_the_model_answers_its_smoke_row(tmp_path: Path) -> None:
    server = asked(tmp_path)
    assert (server.ask("GET", "/ping").status, server.ask("GET", "/ping").body) == (200, b"")
    object.__setattr__(server.app.model, "session", None)
    assert server.ask("GET", "/ping").status == 503
    server.app.stopping = True
    assert server.ask("GET", "/ping").status == 503


def test_a_model_that_fails_answers_500_and_the_server_lives(tmp_path: Path) -> None:
    server = asked(tmp_path)
    session = server.app.model.session
    object.__setattr__(server.app.model, "session", None)
    assert server.post(ROW).status == 500
    object.__setattr__(server.app.model, "session", session)
    assert server.post(ROW).status == 200


def test_a_score_that_is_no_number_is_500_for_that_request_alone(tmp_path: Path) -> None:
    server = asked(tmp_path)

    class Nothing:
        def run(self, _names: object, feeds: dict[str, object]) -> list[object]:
            ages = np.asarray(feeds["age"], dtype=np.float32)
            return [np.where(ages > 50, np.nan, np.float32(0.25))]

    object.__setattr__(server.app.model, "session", Nothing())
    answers: list[Response] = []
    for age in (30, 60):
        server.app.answer(Request("POST", "/invocations", {}, json.dumps(ROW | {"age": age}).encode()), answers.append)
    server.turn.run()
    assert [answer.status for answer in answers] == [200, 500]


def test_unknown_paths_and_methods_say_what_there_is(tmp_path: Path) -> None:
    server = asked(tmp_path)
    assert b"/invocations" in server.ask("GET", "/nothing").body
    refused = server.ask("GET", "/invocations")
    assert (refused.status, refused.headers) == (405, (("Allow", "POST"),))


def test_the_api_description_and_its_page_come_from_the_manifest(tmp_path: Path) -> None:
    server = asked(tmp_path)
    document = json.loads(server.ask("GET", "/openapi.json").body)
    instance = document["components"]["schemas"]["Instance"]
    assert instance["required"] == ["age", "sex"]
    assert instance["properties"]["age"]["type"] == ["integer", "null"]
    assert instance["example"] == ROW
    told = document["paths"]["/invocations"]["post"]
    shown = told["responses"]["200"]["content"]["application/json"]["example"]
    assert shown == json.loads(server.post(ROW).body)
    for schema, instance in (("Instances", told["requestBody"]["content"]["application/json"]["example"]), ("Predictions", shown)):
        jsonschema.validate(instance, {"$ref": f"#/components/schemas/{schema}", "components": document["components"]})
    page = server.ask("GET", "/docs").body.decode()
    assert "src=" not in page
    assert "<td>Female, Male</td>" in page
    taken = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert set(taken) == {"application/json", "application/jsonlines", "text/csv"}
    assert json.loads(server.ask("GET", "/execution-parameters").body)["MaxPayloadInMB"] == 6


def test_a_long_list_of_known_values_says_how_many_more_there_are(tmp_path: Path) -> None:
    many = COLUMNS[2].model_copy(update={"categories": tuple(f"c{number}" for number in range(45))})
    page = Asked(load(pack(tmp_path, columns=(*COLUMNS[:2], many)))).ask("GET", "/docs").body.decode()
    assert "c39 and 5 more</td>" in page


@cache
def one_server() -> Asked:
    return asked(Path(tempfile.mkdtemp()))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6)
ROWS = st.dictionaries(st.sampled_from(["age", "gain", "sex", "x\ud800"]), VALUES, max_size=4)


@given(st.lists(ROWS, max_size=3), st.sampled_from(["application/json", "application/jsonlines", "text/csv"]))
def test_any_rows_are_scored_or_refused_by_row_and_field_and_never_a_mistake_of_ours(rows: list[dict[str, Any]], kind: str) -> None:
    server = one_server()
    body = json.dumps(rows) if kind != "application/jsonlines" else "\n".join(map(json.dumps, rows))
    answer = server.post(body.encode("utf-8", "surrogatepass"), content_type=kind)
    assert answer.status in {200, 400}
    told = json.loads(answer.body)
    assert len(told["predictions"]) == len(rows) if answer.status == 200 else told["total"] >= len(told["errors"]) >= 1


def test_an_example_with_missing_values_shows_null(tmp_path: Path) -> None:
    model = load(pack(tmp_path))
    object.__setattr__(model, "smoke", (SmokeRow((missing("int64"), missing("float64"), missing("string")), model.smoke[0].score),))
    assert example(model) == {"age": None, "gain": None, "sex": None}
    assert b"NaN" not in Asked(model).ask("GET", "/openapi.json").body


def test_metrics_count_answers_rows_and_seconds(tmp_path: Path) -> None:
    server = asked(tmp_path)
    server.post([ROW, ROW])
    text = server.ask("GET", "/metrics").body.decode()
    assert 'mlops_requests_total{path="/invocations",status="200"} 1' in text
    assert "mlops_rows_total 2" in text
    assert "mlops_invocation_seconds_count 1" in text


def test_the_witness_names_model_version_and_archive(tmp_path: Path) -> None:
    folder = pack(tmp_path)
    assert load(folder, archive_digest="ab" * 32).identity == "income/1.2.3/abababababab"
    assert load(folder).identity.startswith("income/1.2.3/")


@pytest.mark.parametrize("name", ["model.onnx", "spec.json", "smoke.json", "manifest.json"])
def test_a_model_folder_that_lacks_a_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (pack(tmp_path) / name).unlink()
    with pytest.raises(EnvironmentBroken, match=name):
        load(tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "spec.json", "smoke.json"])
def test_a_changed_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(EnvironmentBroken, match=f"{name} is not the file the manifest names"):
        load(tmp_path)


def test_a_model_that_answers_its_smoke_rows_differently_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBroken, match="smoke row 0"):
        load(pack(tmp_path, broken=True))


def test_native_files_are_never_opened(tmp_path: Path) -> None:
    folder = pack(tmp_path)
    (folder / "native").mkdir()
    (folder / "native" / "xgboost.json").write_text("not JSON")
    assert Asked(load(folder)).post(ROW).status == 200
