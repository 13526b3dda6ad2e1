"""Signatures that ``git verify-commit`` accepts, without ssh-keygen.

    signer = Signer(folder / "keys")
    signer.sign(commit_bytes)        # the armoured block for the commit's gpgsig header
    signer.allowed_signers_path      # for gpg.ssh.allowedSignersFile

The format is OpenSSH's PROTOCOL.sshsig with an Ed25519 key and the namespace ``git``.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COMMITTER_NAME = "GitHub"
COMMITTER_EMAIL = "noreply@github.com"


def write_once(path: Path, content: bytes) -> bytes:
    """Keep the first content ever written to a private file, even when the process dies in between."""
    if path.exists():
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.replace(path)
    return content


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class Signer:
    """The key that signs commits made through the web and the API; made once, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        fresh = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = serialization.load_pem_private_key(write_once(folder / "web-commits.pem", fresh), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{folder / 'web-commits.pem'} holds no Ed25519 key")
        self._key = key
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self._public = _text(b"ssh-ed25519") + _text(raw)
        self.allowed_signers_path = folder.parent / "allowed_signers"
        self.allowed_signers_path.write_text(self.allowed_signers, encoding="ascii")

    @property
    def allowed_signers(self) -> str:
        """One line in ssh-keygen's ALLOWED SIGNERS format."""
        return f'{COMMITTER_EMAIL} namespaces="git" ssh-ed25519 {base64.b64encode(self._public).decode()}\n'

    def sign(self, message: bytes) -> str:
        """The armoured signature of a commit's bytes."""
        digest = _text(hashlib.sha512(message).digest())
        common = _text(b"git") + _text(b"") + _text(b"sha512")
        signature = self._key.sign(b"SSHSIG" + common + digest)
        blob = b"SSHSIG" + struct.pack(">I", 1) + _text(self._public) + common + _text(_text(b"ssh-ed25519") + _text(signature))
        encoded = base64.b64encode(blob).decode()
        lines = [encoded[start : start + 70] for start in range(0, len(encoded), 70)]
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"])
