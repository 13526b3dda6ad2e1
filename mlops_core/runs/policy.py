"""The caller's policy file ``.github/mlops.yml``: a small strict subset of YAML.

    minimum:
      roc_auc: 0.85
    champion_margin: 0.002
    instance_types: [ml.m5.large, ml.m5.xlarge]
    retrain:
      schedule: "rate(7 days)"

Top-level ``key: value``, one level of ``name: value`` below a key, lists in brackets or as ``- item``, comments.  No anchors, tags,
quotes with escapes, flow maps or documents; a key may stand once.  Numbers are plain decimals, booleans are true and false.
"""

from __future__ import annotations

import difflib
import json
import re

from pydantic import ValidationError

from mlops_core.contracts.request import range_of
from mlops_core.contracts.verdict import Policy
from mlops_core.errors import InvalidRequest
from mlops_core.reporting.messages import warning_codes

PATH = ".github/mlops.yml"
LIMIT_BYTES = 16_384
_LINE = re.compile(r"(?P<indent> *)(?:(?P<dash>- )|(?P<key>[a-z][a-z0-9_]{0,39}):(?: |\Z))?(?P<rest>.*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?\Z")
_QUOTED = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ()._-]{0,80}\Z")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\Z")

Value = float | int | bool | str
Tree = dict[str, object]


def parse_policy(body: bytes | None) -> Policy:
    """The policy of a file's bytes (None: the documented defaults); `InvalidRequest` names the line or the field."""
    if body is None:
        return Policy()
    if len(body) > LIMIT_BYTES:
        raise _wrong(f"is longer than {LIMIT_BYTES} bytes")
    try:
        tree = _tree(body.decode("utf-8-sig"))
        return _known(Policy.model_validate_json(json.dumps(tree), strict=True))
    except UnicodeDecodeError as error:
        raise _wrong("is not UTF-8 text") from error
    except ValidationError as error:
        item = error.errors(include_input=False)[0]
        raise _wrong(f"has a wrong field {'.'.join(map(str, item['loc']))}: {item['msg']}") from error


def _known(policy: Policy) -> Policy:
    """The policy, unless it asks for a figure that no model can have, or would stop on a warning that nothing gives."""
    for field, floors in (("minimum", policy.minimum), ("slice_minimum", policy.slice_minimum)):
        for metric, floor in floors.items():
            low, high = range_of(metric)
            if not low <= floor <= high:
                raise _wrong(f"asks for {field}.{metric} {floor:g}, which lies within {low:g} and {high:g}")
    codes = warning_codes()
    for code in policy.stop_on:
        if code not in codes and not any(known.startswith(f"{code}-") for known in codes):
            close = difflib.get_close_matches(code, codes, n=3) or codes
            raise _wrong(f"names no warning in stop_on: {code}; there are {', '.join(close)}")
    return policy


def _tree(text: str) -> Tree:
    tree: Tree = {}
    parent = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:\A|\s)#.*\Z", "", raw).rstrip()
        if not line:
            continue
        match = _LINE.match(line)
        if match is None or "\t" in line:
            raise _wrong(f"cannot be read at line {number}")
        parent = _take(tree, parent, match, number)
    return tree


def _take(tree: Tree, parent: str, match: re.Match[str], number: int) -> str:
    """Put one line into the tree; returns the key that deeper lines belong to."""
    indent, key, rest = len(match["indent"]), match["key"], match["rest"].strip()
    if match["dash"]:
        items = tree.get(parent) if parent else None
        if items is None and parent:
            items = tree[parent] = []
        if not isinstance(items, list):
            raise _wrong(f"has an item that belongs to nothing at line {number}")
        items.append(_scalar(rest, number))
        return parent
    if key is None or indent not in {0, 2, 4}:
        raise _wrong(f"cannot be read at line {number}")
    if indent == 0:
        if key in tree:
            raise _wrong(f"sets {key} twice (line {number})")
        tree[key] = _value(rest, number) if rest else None
        return "" if rest else key
    below = tree.get(parent) if parent else None
    if below is None and parent:
        below = tree[parent] = {}
    if not isinstance(below, dict) or not rest or key in below:
        raise _wrong(f"cannot be read at line {number}")
    below[key] = _scalar(rest, number)
    return parent


def _value(text: str, number: int) -> object:
    if text == "{}":
        return {}
    if text.startswith("[") and text.endswith("]"):
        inside = text[1:-1].strip()
        return [_scalar(item.strip(), number) for item in inside.split(",")] if inside else []
    return _scalar(text, number)


def _scalar(text: str, number: int) -> Value:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" and _QUOTED.match(text[1:-1]):
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    if _NUMBER.match(text):
        return float(text) if "." in text else int(text)
    if _PLAIN.match(text) and not text[0].isdigit():
        return text
    raise _wrong(f"has a value that cannot be read at line {number}")


def _wrong(what: str) -> InvalidRequest:
    return InvalidRequest(f"the policy file {PATH} {what}.", remedy="Correct it on the default branch and label again.", code="E-POLICY")
