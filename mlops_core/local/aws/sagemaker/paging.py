"""Lists as AWS pages them: filtered, sorted, and continued from the last item shown, so a new record never shifts a page.

page(records, request, Listing(key="TrainingJobName", answer="TrainingJobSummaries", members=(...)))
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_core.local.aws.sagemaker.errors import validation
from mlops_core.local.aws.sagemaker.store import Record

DEFAULT_PAGE = 10


@dataclass(frozen=True)
class Listing:
    """How one kind of record is listed."""

    key: str
    answer: str
    members: tuple[str, ...]
    status: str = ""
    descending: bool = False


def page(records: Sequence[Record], request: Record, listing: Listing) -> Record:
    """One page of summaries; ``NextToken`` when there are more."""
    by = {"Name": listing.key, "Status": listing.status}.get(request.get("SortBy", ""), "CreationTime")
    down = request["SortOrder"] == "Descending" if "SortOrder" in request else listing.descending
    kept = [record for record in records if _kept(record, request, listing)]
    kept.sort(key=lambda record: _position(record, by, listing), reverse=down)
    if token := request.get("NextToken"):
        last = _decode(token, [by, down])
        kept = [record for record in kept if (_position(record, by, listing) < last) == down and _position(record, by, listing) != last]
    size = request.get("MaxResults", DEFAULT_PAGE)
    shown, rest = kept[:size], kept[size:]
    answer: Record = {listing.answer: [{name: record[name] for name in listing.members if name in record} for record in shown]}
    if rest:
        answer["NextToken"] = _encode([by, down], _position(shown[-1], by, listing))
    return answer


def _position(record: Record, by: str, listing: Listing) -> tuple[Any, str]:
    return record[by], str(record[listing.key])


def _kept(record: Record, request: Record, listing: Listing) -> bool:
    for member in ("CreationTime", "LastModifiedTime"):
        if f"{member}After" in request and not record.get(member, 0) > request[f"{member}After"]:
            return False
        if f"{member}Before" in request and not record.get(member, 0) < request[f"{member}Before"]:
            return False
    if request.get("NameContains", "").lower() not in str(record[listing.key]).lower():
        return False
    return "StatusEquals" not in request or record[listing.status] == request["StatusEquals"]


def _encode(order: list[Any], position: tuple[Any, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([order, *position]).encode()).decode()


def _decode(token: str, order: list[Any]) -> tuple[Any, str]:
    try:
        asked, value, name = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error, TypeError) as error:
        raise validation("NextToken is not one that this list gave; start again without it.") from error
    if asked != order or not isinstance(name, str) or not isinstance(value, int | float | str):
        raise validation("NextToken belongs to a list in another order; repeat SortBy and SortOrder with it, or start again without it.")
    return value, name
