"""Structured logs: one JSON object per line, with run id and correlation id, secrets masked.

    journal.configure(level="INFO")
    with journal.bound(run_id="income-1a2b3c4d-g0", correlation_id="…"):
        log.info("job started", extra={"fields": {"job": name}})

What is masked: values registered with `learn` (also as base64, URL-quoted and JSON text), well-known token shapes, credentials and
signatures inside URLs, values of JSON keys that name a secret, private keys, and base64 text that hides one of these.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import contextvars
import json
import logging
import re
import sys
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

MASK = "***"
_LEAST_SECRET = 6
_SHAPES = re.compile(
    r"""
    -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
  | \bgh[pousr]_[A-Za-z0-9_]{16,}
  | \bgithub_pat_[A-Za-z0-9_]{16,}
  | \bghs_[A-Za-z0-9._-]{16,}
  | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?
  | \bxox[abeprs]-[A-Za-z0-9-]{8,}
    """,
    re.VERBOSE | re.DOTALL,
)
_HOOK = re.compile(r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/)[^\s\"'<>\\]+")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@\"'<>\\]+@")
_NAMES = (
    r"(?:[A-Za-z0-9_.-]*(?:password|passwd|secret|token|private_key|privatekey|api_?key|access_?key|authorization"
    r"|credential|signature|session_key|webhook_url))"
)
_QUERY = re.compile(rf"([?&;](?:{_NAMES}|sig|code|X-Amz-[A-Za-z-]+)=)[^&\s\"'<>\\]+", re.IGNORECASE)
_JSON_VALUE = re.compile(rf"""((?P<q>\\*["']){_NAMES}(?P=q)\s*:\s*(?P=q))(?:(?!(?P=q)).)+""", re.IGNORECASE)
_PAIR = re.compile(rf"(\b{_NAMES}\s*[=:]\s*)(?:(?:Bearer|Basic|token)\s+)?(?![\"'\\*])[^\s,;&\"'}}]{{4,}}", re.IGNORECASE)
_BEARER = re.compile(r"(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_bound: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("mlops_journal", default=None)
_learned: set[str] = set()


def learn(secret: str) -> None:
    """Mask this value wherever it appears from now on, plain or encoded (values under 6 characters are too common to mask)."""
    if len(secret) < _LEAST_SECRET:
        return
    raw = secret.encode()
    _learned.update({secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1]})
    # A value inside a longer base64 text shows in one of three alignments; the outer characters depend on its neighbours.
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw).decode().rstrip("=")
            core = text[(0, 2, 3)[shift] : len(text) - (1 if (len(raw) + shift) % 3 else 0)]
            if len(core) >= _LEAST_SECRET:
                _learned.add(core)


def forget() -> None:
    """Drop every learned value (tests)."""
    _learned.clear()


def mask(text: str) -> str:
    """The text with every secret replaced by ``***``."""
    for secret in sorted(_learned, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _BASE64.sub(_hidden, _shapes(text))


def _shapes(text: str) -> str:
    text = _SHAPES.sub(MASK, text)
    text = _HOOK.sub(rf"\1{MASK}", text)
    text = _USERINFO.sub(rf"\1{MASK}@", text)
    text = _QUERY.sub(rf"\1{MASK}", text)
    text = _JSON_VALUE.sub(rf"\1{MASK}", text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    return _BEARER.sub(rf"\1{MASK}", text)


def _hidden(match: re.Match[str]) -> str:
    """A base64 text is masked when what it hides would be."""
    found = match.group(0)
    text = found.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        inside = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return found
    masked = _shapes(inside)
    for secret in _learned:
        masked = masked.replace(secret, MASK)
    return found if masked == inside else MASK


@contextlib.contextmanager
def bound(**names: str) -> Iterator[None]:
    """Add names (run_id, correlation_id, tool …) to every line written inside; empty values are left out."""
    token = _bound.set({**(_bound.get() or {}), **{name: value for name, value in names.items() if value}})
    try:
        yield
    finally:
        _bound.reset(token)


def current() -> dict[str, str]:
    """The names bound here."""
    return dict(_bound.get() or {})


class JsonLines(logging.Formatter):
    """One masked JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time (UTC), level, logger, message, bound names, the record's ``fields``, and the traceback if any."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **current(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Values are masked before they become JSON, so that the line stays valid JSON.
        return json.dumps(_masked(line), ensure_ascii=False, default=str)


def _masked(value: object, name: str = "") -> object:
    if isinstance(value, str):
        return MASK if name and value and re.fullmatch(_NAMES, name, re.IGNORECASE) else mask(value)
    if isinstance(value, dict):
        return {str(key): _masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value if isinstance(value, int | float | bool) or value is None else mask(str(value))


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs as JSON lines to a stream (standard error by default); libraries stay at WARNING."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mlops_core").setLevel(level.upper() if level.upper() in {"DEBUG", "INFO", "WARNING", "ERROR"} else "INFO")
