"""Outgoing web hooks that cannot be turned against the network they leave from.

    HttpSink(trusted=("http://127.0.0.1:8400",)).post("https://hooks.example.com/x", {"text": "…"})

The name is resolved once, every address must be public (IANA's special-purpose registries, as `ipaddress` knows them), and the connection
goes to the address that was checked, so a name that changes its address in between gains nothing.  Redirects are not followed.  Exact
origins in ``trusted`` are the only exception.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from mlops_core.errors import Refused, Unavailable

TIMEOUT_SECONDS = 5.0
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system resolves it."""
    return list(dict.fromkeys(str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class HttpSink:
    """Posts JSON to checked addresses."""

    def __init__(self, trusted: Sequence[str] = (), resolver: Resolve = resolve) -> None:
        self._trusted = frozenset(origin.strip().rstrip("/") for origin in trusted if origin.strip())
        self._resolve = resolver

    def post(self, url: str, body: Mapping[str, object]) -> int:
        """POST JSON and return the status; `Refused` before any connection when the address is not allowed."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", _port(parts.scheme, parts.netloc)
        trusted = f"{parts.scheme}://{parts.netloc}" in self._trusted
        if parts.scheme not in ({"http", "https"} if trusted else {"https"}) or not host or parts.username or parts.password:
            raise Refused("the notification address is no plain https address.", remedy="Store another one.", code="E-SINK-URL")
        address = self._checked(host, port, trusted=trusted)
        connection = _Pinned(host, address, port, tls=parts.scheme == "https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the notification was not taken ({type(error).__name__}).", code="E-SINK-NO-ANSWER") from error
        finally:
            connection.close()
        if 300 <= status < 400:
            raise Refused(
                "the notification address redirects; redirects are not followed.", remedy="Store the final address.", code="E-SINK-REDIRECT"
            )
        return status

    def _checked(self, host: str, port: int, *, trusted: bool) -> str:
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise Unavailable("the notification address has no known host.", code="E-SINK-DNS") from error
        if not addresses:
            raise Unavailable("the notification address has no known host.", code="E-SINK-DNS")
        if not trusted and not all(is_public(address) for address in addresses):
            remedy = "Use a public address, or name its exact origin in the template parameter TrustedSinks."
            raise Refused("the notification address is not public.", remedy=remedy, code="E-SINK-PRIVATE")
        return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address is globally reachable; addresses of IPv4 inside IPv6 are judged by the IPv4 one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        # 64:ff9b::/96 carries an IPv4 address in its last 32 bits (RFC 6052).
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _port(scheme: str, netloc: str) -> int:
    try:
        port = urlsplit(f"//{netloc}").port
    except ValueError as error:
        raise Refused("the notification address has no valid port.", remedy="Store another one.", code="E-SINK-URL") from error
    return port or (443 if scheme == "https" else 80)


class _Pinned(http.client.HTTPConnection):
    """A connection to one checked address that speaks TLS to the name."""

    def __init__(self, host: str, address: str, port: int, *, tls: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._address = address
        self._tls = tls

    def connect(self) -> None:
        """Connect to the checked address, whatever the name means by now."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) if self._tls else plain
