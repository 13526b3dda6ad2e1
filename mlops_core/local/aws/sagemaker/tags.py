"""Tags of every resource: at most 50, keys unique, ``aws:`` reserved.

Source: AWS documentation, AddTags.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence

from mlops_core.local.aws.sagemaker.errors import validation
from mlops_core.local.aws.sagemaker.store import Record, Store

LIMIT = 50
LIST_PAGE = 50


class Tags:
    """Tags by resource ARN; ``exists`` says whether an ARN is one of ours."""

    def __init__(self, store: Store, exists: Callable[[str], bool]) -> None:
        self._store = store
        self._exists = exists

    def of(self, arn: str) -> list[Record]:
        """The tags of a resource, in the order they were first set."""
        found = self._store.get("tags", arn)
        return list(found["Tags"]) if found else []

    def put(self, arn: str, tags: Sequence[Record]) -> None:
        """Set tags on a resource that was just made."""
        if tags:
            self._store.put("tags", arn, {"Tags": merged([], tags)})

    def check(self, tags: Sequence[Record]) -> None:
        """ValidationException for tags that cannot be set on a new resource."""
        merged([], tags)

    def forget(self, arn: str) -> None:
        """Remove every tag (the resource is deleted)."""
        self._store.delete("tags", arn)

    def add(self, request: Record) -> Record:
        """AddTags."""
        arn = self._known(request["ResourceArn"])
        with self._store.lock:
            tags = merged(self.of(arn), request["Tags"])
            self._store.put("tags", arn, {"Tags": tags})
        return {"Tags": tags}

    def remove(self, request: Record) -> Record:
        """DeleteTags."""
        arn = self._known(request["ResourceArn"])
        with self._store.lock:
            self._store.put("tags", arn, {"Tags": [tag for tag in self.of(arn) if tag["Key"] not in request["TagKeys"]]})
        return {}

    def list(self, request: Record) -> Record:
        """ListTags."""
        tags = self.of(self._known(request["ResourceArn"]))
        start = _offset(request.get("NextToken"))
        end = start + request.get("MaxResults", LIST_PAGE)
        answer: Record = {"Tags": tags[start:end]}
        return {**answer, "NextToken": base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(tags) else answer

    def _known(self, arn: str) -> str:
        if not self._exists(arn):
            raise validation(f"Could not find resource {arn}; tags belong to a resource that exists.")
        return arn


def merged(before: Sequence[Record], added: Sequence[Record]) -> list[Record]:
    """Tags with others set on top; ValidationException when AWS would refuse them."""
    tags = {tag["Key"]: tag["Value"] for tag in before}
    keys = [tag["Key"] for tag in added]
    for key in keys:
        if keys.count(key) > 1:
            raise validation(f"Duplicate tag key '{key}'; give each key once.")
        if key.lower().startswith("aws:"):
            raise validation(f"Tag key '{key}' starts with the reserved prefix 'aws:'; choose another.")
    tags |= {tag["Key"]: tag["Value"] for tag in added}
    if len(tags) > LIMIT:
        raise validation(f"{len(tags)} tags are more than the {LIMIT} a resource can have.")
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as error:
        raise validation("NextToken is not one that ListTags gave; start again without it.") from error
