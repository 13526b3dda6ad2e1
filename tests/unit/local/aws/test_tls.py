"""The local certificate authority vouches for loopback alone."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from cryptography import x509

from mlops_core.local.aws.tls import ensure


def test_the_certificate_is_for_loopback_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    chain, key = ensure(tmp_path / "tls")
    before = chain.read_bytes()
    assert ensure(tmp_path / "tls") == (chain, key)
    assert chain.read_bytes() == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    names = x509.load_pem_x509_certificate(before).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)


def test_the_authority_may_vouch_for_nothing_else(tmp_path: Path) -> None:
    ensure(tmp_path)
    root = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    limits = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert [str(one.value) for one in limits.value.permitted_subtrees or []] == ["localhost", "127.0.0.0/8"]
