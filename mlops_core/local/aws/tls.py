"""The certificate authority of the local AWS and the leaf it serves with.

    certificate, key = ensure(state / "tls")

Made once per state folder, renewed when less than 30 days are left. The CA may sign only for loopback names (a critical name constraint),
so a machine that trusts it by mistake is not exposed.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEAR = dt.timedelta(days=365)
_RENEW = dt.timedelta(days=30)
_LOOPBACK = ipaddress.ip_address("127.0.0.1")


def ensure(folder: Path) -> tuple[Path, Path]:
    """Paths of the served chain (leaf, then CA) and of its private key; ``ca.pem`` beside them is what clients trust."""
    chain, key, authority = folder / "server.pem", folder / "server.key", folder / "ca.pem"
    if not (chain.exists() and key.exists() and authority.exists() and _fresh(chain)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(chain, key, authority)
    return chain, key


def _fresh(chain: Path) -> bool:
    leaf = x509.load_pem_x509_certificate(chain.read_bytes())
    return leaf.not_valid_after_utc - dt.datetime.now(dt.UTC) > _RENEW


def _make(chain: Path, key: Path, authority: Path) -> None:
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _authority(root_key)
    leaf = _leaf(leaf_key, root, root_key)
    pem = serialization.Encoding.PEM
    _write(authority, root.public_bytes(pem), 0o644)
    _write(key, leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), 0o600)
    _write(chain, leaf.public_bytes(pem) + root.public_bytes(pem), 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    staging = path.with_suffix(".new")
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
        out.write(data)
    staging.replace(path)


def _builder(name: str, public: ec.EllipticCurvePublicKey, lifetime: dt.timedelta) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    loopback: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))]
    name = "mlops local AWS authority"
    return (
        _builder(name, key.public_key(), 5 * _YEAR)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=loopback, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(key: ec.EllipticCurvePrivateKey, root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(_LOOPBACK)]
    return (
        _builder("localhost", key.public_key(), 2 * _YEAR)
        .issuer_name(root.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
