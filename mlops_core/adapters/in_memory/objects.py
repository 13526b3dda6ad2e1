"""Objects in a dictionary."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from mlops_core.errors import Conflict, NotFound, Refused
from mlops_core.facts import ObjectFacts
from mlops_core.ports import Clock


@dataclass
class MemoryObjects:
    """Bodies by URI."""

    clock: Clock
    bodies: dict[str, bytes] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    writes: int = 0

    def head(self, uri: str) -> ObjectFacts:
        """Facts of an object."""
        body = self._body(uri)
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return ObjectFacts(uri, len(body), tag, f"v-{tag[:8]}", self.changed.get(uri, self.clock.now()))

    def read(self, uri: str, *, limit: int = 1 << 20) -> bytes:
        """The body, if not too long."""
        body = self._body(uri)
        if len(body) > limit:
            raise Refused(f"{uri} holds {len(body)} bytes; at most {limit} are read here.", code="E-OBJECT-SIZE")
        return body

    def write(self, uri: str, body: bytes, *, content_type: str = "application/octet-stream", only_new: bool = False) -> None:
        """Store a body."""
        if only_new and uri in self.bodies:
            raise Conflict(f"{uri} exists already.", code="E-OBJECT-EXISTS")
        self.bodies[uri], self.changed[uri] = body, self.clock.now()
        self.writes += bool(content_type)

    def list(self, prefix: str, *, limit: int = 1000) -> list[ObjectFacts]:
        """Objects below a prefix."""
        return [self.head(uri) for uri in sorted(self.bodies) if uri.startswith(prefix)][:limit]

    def sha256(self, uri: str) -> str:
        """Digest of a body."""
        return hashlib.sha256(self._body(uri)).hexdigest()

    def _body(self, uri: str) -> bytes:
        if uri not in self.bodies:
            raise NotFound(f"there is no object {uri}.", code="E-OBJECT-MISSING")
        return self.bodies[uri]
