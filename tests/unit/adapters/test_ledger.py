"""One contract, two ledgers: the dictionary and the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_core.adapters.in_memory import in_memory_ports
from mlops_core.adapters.in_memory.services import SetClock
from mlops_core.adapters.ledger_dynamodb import DynamoLedger
from mlops_core.adapters.objects_s3 import S3Objects
from mlops_core.errors import Conflict, NotFound, Refused, Stale
from mlops_core.ports import Ledger, ObjectStore, Value

NOW = int(SetClock().now().timestamp())


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and a region for moto."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Both ledgers."""
    if request.param == "memory":
        yield in_memory_ports().ledger
        return
    with mock_aws():
        client: Any = boto3.client("dynamodb")
        client.create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoLedger(client, "ledger", SetClock())


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """Both stores, with a bucket called lake."""
    if request.param == "memory":
        yield in_memory_ports().objects
        return
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket="lake")
        yield S3Objects(client)


def test_values_come_back_as_they_went(ledger: Ledger) -> None:
    item: dict[str, Value] = {"text": "ü", "number": 3, "yes": True, "no": False, "nothing": None}
    ledger.put("a", "b", item)
    assert ledger.get("a", "b") == item
    assert ledger.get("a", "c") is None


def test_the_first_claim_wins_and_the_second_sees_it(ledger: Ledger) -> None:
    assert ledger.claim("a", "b", {"who": "first"}) is None
    assert ledger.claim("a", "b", {"who": "second"}) == {"who": "first"}


def test_an_expired_row_is_absent_and_can_be_claimed(ledger: Ledger) -> None:
    ledger.put("a", "b", {"who": "old"}, expires_at=NOW - 1)
    assert ledger.get("a", "b") is None
    assert ledger.claim("a", "b", {"who": "new"}, expires_at=NOW + 60) is None
    assert ledger.get("a", "b") == {"who": "new"}


def test_replace_is_stale_when_the_row_moved_or_is_gone(ledger: Ledger) -> None:
    ledger.put("a", "b", {"version": 1})
    ledger.replace("a", "b", {"version": 2}, expected={"version": 1})
    with pytest.raises(Stale):
        ledger.replace("a", "b", {"version": 3}, expected={"version": 1})
    with pytest.raises(Stale):
        ledger.replace("a", "nothing", {"version": 3}, expected={"version": 1})


def test_delete_with_and_without_a_condition(ledger: Ledger) -> None:
    ledger.put("a", "b", {"owner": "me"})
    with pytest.raises(Stale):
        ledger.delete("a", "b", expected={"owner": "you"})
    ledger.delete("a", "b", expected={"owner": "me"})
    ledger.delete("a", "b")
    with pytest.raises(Stale):
        ledger.delete("a", "b", expected={"owner": "me"})


def test_counters_start_at_zero_and_keep_other_attributes(ledger: Ledger) -> None:
    assert [ledger.increase("a", "b", "count") for _ in range(3)] == [1, 2, 3]
    assert ledger.increase("a", "b", "other", 5) == 5
    assert ledger.get("a", "b") == {"count": 3, "other": 5}


def test_query_is_ordered_filtered_and_limited(ledger: Ledger) -> None:
    for number in range(5):
        ledger.put("p", f"x{number}", {"n": number})
    ledger.put("p", "y", {"n": 9})
    assert [sk for sk, _ in ledger.query("p", prefix="x", limit=3)] == ["x0", "x1", "x2"]
    assert [item["n"] for _, item in ledger.query("p", newest_first=True, limit=2)] == [9, 4]
    assert ledger.query("nobody") == []


def test_objects_are_stored_listed_bounded_and_hashed(objects: ObjectStore) -> None:
    objects.write("s3://lake/a/1", b"hello")
    objects.write("s3://lake/a/2", b"world!", content_type="text/plain")
    assert objects.read("s3://lake/a/1") == b"hello"
    assert [(item.uri, item.bytes) for item in objects.list("s3://lake/a/")] == [("s3://lake/a/1", 5), ("s3://lake/a/2", 6)]
    assert objects.sha256("s3://lake/a/1").startswith("2cf24dba5fb0")
    assert objects.head("s3://lake/a/2").bytes == 6
    with pytest.raises(Refused):
        objects.read("s3://lake/a/2", limit=5)
    with pytest.raises(NotFound):
        objects.read("s3://lake/a/3")
    with pytest.raises(NotFound):
        objects.head("s3://lake/a/3")


def test_a_new_object_never_replaces_an_old_one(objects: ObjectStore) -> None:
    objects.write("s3://lake/a", b"1", only_new=True)
    with pytest.raises(Conflict):
        objects.write("s3://lake/a", b"2", only_new=True)
    assert objects.read("s3://lake/a") == b"1"
