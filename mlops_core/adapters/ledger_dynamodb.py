"""The ledger in one DynamoDB table (``pk``, ``sk``, TTL attribute ``expires_at``).

Reads are consistent; a row past its ``expires_at`` counts as absent although DynamoDB removes it later (within days, it says).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_core.adapters.aws_errors import is_code, translated
from mlops_core.errors import Defect, Stale
from mlops_core.ports import Clock, Item, Value

_KEYS = frozenset({"pk", "sk", "expires_at"})
_REFUSED = "ConditionalCheckFailedException"


class DynamoLedger:
    """Rows of one table."""

    def __init__(self, client: Any, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def get(self, pk: str, sk: str) -> Item | None:
        """A row, read consistently, or None."""
        with translated("reading the ledger"):
            found = self._client.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True).get("Item")
        return self._live(found)

    def put(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> None:
        """Write a row whatever was there."""
        with translated("writing the ledger"):
            self._client.put_item(TableName=self._table, Item=_row(pk, sk, item, expires_at))

    def claim(self, pk: str, sk: str, item: Mapping[str, Value], *, expires_at: int | None = None) -> Item | None:
        """Write a row only if there is none (or an expired one); None when this call was first, otherwise the row that is there."""
        now = {":now": {"N": str(self._now())}}
        with translated("claiming in the ledger"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_row(pk, sk, item, expires_at),
                    ConditionExpression="attribute_not_exists(pk) OR expires_at < :now",
                    ExpressionAttributeValues=now,
                )
            except ClientError as error:
                if not is_code(error, _REFUSED):
                    raise
                there = self.get(pk, sk)
                return there if there is not None else self.claim(pk, sk, item, expires_at=expires_at)
        return None

    def replace(self, pk: str, sk: str, item: Mapping[str, Value], *, expected: Mapping[str, Value], expires_at: int | None = None) -> None:
        """Overwrite a row whose attributes still equal ``expected``; `Stale` when they moved or the row is gone."""
        condition = _condition(expected)
        self._conditional("put_item", Item=_row(pk, sk, item, expires_at), **condition)

    def delete(self, pk: str, sk: str, *, expected: Mapping[str, Value] | None = None) -> None:
        """Remove a row (no error when absent); with ``expected``, `Stale` unless its attributes are equal."""
        self._conditional("delete_item", Key=_key(pk, sk), **(_condition(expected) if expected else {}))

    def increase(self, pk: str, sk: str, name: str, by: int = 1) -> int:
        """Add to a counter attribute (made at 0 when missing) and return the new value."""
        with translated("counting in the ledger"):
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(pk, sk),
                UpdateExpression="ADD #n :by",
                ExpressionAttributeNames={"#n": name},
                ExpressionAttributeValues={":by": {"N": str(by)}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"][name]["N"])

    def query(self, pk: str, *, prefix: str = "", limit: int = 100, newest_first: bool = False) -> list[tuple[str, Item]]:
        """Rows of one partition by sort key as (sk, item)."""
        values = {":pk": {"S": pk}} | ({":sk": {"S": prefix}} if prefix else {})
        condition = "pk = :pk" + (" AND begins_with(sk, :sk)" if prefix else "")
        found: list[tuple[str, Item]] = []
        start: dict[str, Any] = {}
        with translated("searching the ledger"):
            while len(found) < limit:
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ScanIndexForward=not newest_first,
                    ConsistentRead=True,
                    Limit=min(1000, limit),
                    **start,
                )
                rows = ((row["sk"]["S"], self._live(row)) for row in page["Items"])
                found.extend((sk, item) for sk, item in rows if item is not None)
                if not page.get("LastEvaluatedKey"):
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return found[:limit]

    def _conditional(self, operation: str, **arguments: Any) -> None:
        with translated("changing the ledger"):
            try:
                getattr(self._client, operation)(TableName=self._table, **arguments)
            except ClientError as error:
                if is_code(error, _REFUSED):
                    raise Stale("the ledger row moved under this call.", remedy="Read it again.") from error
                raise

    def _live(self, row: Mapping[str, Any] | None) -> Item | None:
        if row is None or ("expires_at" in row and int(row["expires_at"]["N"]) < self._now()):
            return None
        return {name: _value(value) for name, value in row.items() if name not in _KEYS}

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _row(pk: str, sk: str, item: Mapping[str, Value], expires_at: int | None) -> dict[str, Any]:
    expiry = {} if expires_at is None else {"expires_at": {"N": str(expires_at)}}
    return {**_key(pk, sk), **{name: _attribute(value) for name, value in item.items()}, **expiry}


def _condition(expected: Mapping[str, Value]) -> dict[str, Any]:
    names = {f"#c{index}": name for index, name in enumerate(expected)}
    values = {f":c{index}": _attribute(value) for index, value in enumerate(expected.values())}
    text = " AND ".join(f"#c{index} = :c{index}" for index in range(len(expected)))
    return {"ConditionExpression": text, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}


def _attribute(value: Value) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _value(attribute: Mapping[str, Any]) -> Value:
    kind, value = next(iter(attribute.items()))
    if kind == "NULL":
        return None
    if kind == "N":
        return int(value)
    if kind in {"S", "BOOL"}:
        return value  # type: ignore[no-any-return]
    raise Defect(f"the ledger holds an attribute of kind {kind}, which nothing of ours writes.")
