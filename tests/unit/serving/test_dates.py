"""Dates are read as people write them, by the rule of the data job."""

from __future__ import annotations

import math

import pytest

from mlops_core.contracts.model import ColumnSchema
from mlops_core.serving.rows import BadRowsError, Schema

SCHEMA = Schema([ColumnSchema(name="at", type="datetime"), ColumnSchema(name="age", type="int64")])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-01-31", 1_706_659_200.0),
        ("2024/01/31", 1_706_659_200.0),
        ("2024-01-31T10:00:00Z", 1_706_695_200.0),
        ("2024-01-31 12:00:00.5+02:00", 1_706_695_200.5),
    ],
)
def test_a_date_becomes_seconds_since_1970_in_json_and_in_csv(text: str, seconds: float) -> None:
    assert SCHEMA.from_json(f'{{"instances": [{{"at": "{text}", "age": 3}}]}}'.encode()) == [[seconds, 3]]
    assert SCHEMA.from_csv(f"{text},3\n".encode()) == [[seconds, 3]]


def test_seconds_are_taken_as_they_are_and_no_date_is_missing() -> None:
    assert SCHEMA.from_json(b'[{"at": 1706659200, "age": 3}, {"at": 1706659200.5, "age": 3}]') == [[1706659200.0, 3], [1706659200.5, 3]]
    for body in (b'[{"at": null, "age": 3}]', b'[{"at": "", "age": 3}]', b'[{"at": "unknown", "age": 3}]'):
        found = SCHEMA.from_json(body)[0][0]
        assert isinstance(found, float)
        assert math.isnan(found)


@pytest.mark.parametrize("text", ["1900-02-29", "31.01.2024", "yesterday", "2024-13-01"])
def test_what_is_no_date_is_refused_by_row_and_field(text: str) -> None:
    with pytest.raises(BadRowsError) as caught:
        SCHEMA.from_json(f'[{{"at": "{text}", "age": 3}}]'.encode())
    assert (caught.value.errors[0]["row"], caught.value.errors[0]["field"]) == (0, "at")
    assert "2024-01-31" in caught.value.errors[0]["problem"]
