"""A package as three files beside each other: archive, manifest and the signature over both digests.

signature = sign(ports, "s3://bucket/models/income/1.0.0/")
problem = verify(ports, "s3://bucket/models/income/1.0.0/model.tar.gz")     # "" when everything agrees
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from pydantic import ValidationError

from mlops_core.contracts.base import canonical, digest
from mlops_core.contracts.model import Manifest, Signature
from mlops_core.errors import NotFound, Refused
from mlops_core.ports import Ports
from mlops_core.unpacking import ArchiveError, opened, plain_members

ARCHIVE = "model.tar.gz"
_MANIFEST_LIMIT = 4 << 20
_ARCHIVE_LIMIT = 1 << 30
_SMOKE_LIMIT = 1 << 20


def sign(ports: Ports, folder: str) -> Signature:
    """Sign what a packaging job wrote and keep the signature and the smoke rows beside it."""
    manifest = read_manifest(ports, folder)
    archive_digest = ports.objects.sha256(f"{folder}{ARCHIVE}")
    smoke = _member(ports.objects.read(f"{folder}{ARCHIVE}", limit=_ARCHIVE_LIMIT), "smoke.json")
    if hashlib.sha256(smoke).hexdigest() != manifest.files.get("smoke.json"):
        raise Refused("the archive's smoke rows are not those its manifest names.", code="E-PACKAGE-SMOKE")
    key, value = ports.signer.sign(_statement(digest(manifest), archive_digest))
    signature = Signature(key_id=key, manifest_digest=digest(manifest), archive_digest=archive_digest, signature=value)
    ports.objects.write(f"{folder}smoke.json", smoke, content_type="application/json")
    ports.objects.write(f"{folder}signature.json", canonical(signature), content_type="application/json")
    return signature


def verify(ports: Ports, model_uri: str, *, registered: Mapping[str, str] | None = None) -> str:
    """Why a package must not be served, empty when archive, manifest and signature agree.

    ``registered`` are the registry's properties: an older package that was signed once, laid in this one's place, is not what they name.
    """
    folder = model_uri.removesuffix(ARCHIVE)
    try:
        signature = read_signature(ports, folder)
        manifest = read_manifest(ports, folder)
        archive = ports.objects.sha256(f"{folder}{ARCHIVE}")
    except (NotFound, Refused) as error:
        missing = "a part of the package is missing: " if isinstance(error, NotFound) else ""
        return missing + error.headline.rstrip(".")
    if digest(manifest) != signature.manifest_digest:
        return "the manifest is not the one that was signed"
    if archive != signature.archive_digest:
        return "the archive is not the one that was signed"
    if not ports.signer.verify(_statement(signature.manifest_digest, signature.archive_digest), signature.signature):
        return "the signature was not made by this installation's key"
    found = {"archive_digest": archive, "manifest_digest": signature.manifest_digest, "semantic_version": manifest.version}
    return _older(found, registered or {})


def _older(found: Mapping[str, str], registered: Mapping[str, str]) -> str:
    """A package that was signed once and lies in another one's place."""
    other = [name for name, value in found.items() if registered.get(name, value) != value]
    return f"the {other[0].replace('_', ' ')} is not the one that was registered: an older package stands in its place" if other else ""


def read_manifest(ports: Ports, folder: str) -> Manifest:
    """The manifest of a package."""
    try:
        return Manifest.model_validate_json(ports.objects.read(f"{folder}manifest.json", limit=_MANIFEST_LIMIT))
    except ValidationError as error:
        raise Refused(f"the manifest below {folder} has another shape.", code="E-PACKAGE-MANIFEST") from error


def read_signature(ports: Ports, folder: str) -> Signature:
    """The signature of a package."""
    try:
        return Signature.model_validate_json(ports.objects.read(f"{folder}signature.json"))
    except ValidationError as error:
        raise Refused(f"the signature below {folder} has another shape.", code="E-PACKAGE-SIGNATURE") from error


def _statement(manifest_digest: str, archive_digest: str) -> bytes:
    """The 32 bytes that are signed: both digests in one canonical document."""
    return hashlib.sha256(canonical({"archive": archive_digest, "manifest": manifest_digest})).digest()


def _member(archive: bytes, name: str) -> bytes:
    """One small plain file of an archive; nothing else of it is unpacked."""
    try:
        with opened(io.BytesIO(archive), packed=len(archive)) as tar:
            for found, member in plain_members(tar, lambda _name, _size: ""):
                if found == name and member.size <= _SMOKE_LIMIT:
                    content = tar.extractfile(member)
                    return content.read() if content else b""
    except ArchiveError as error:
        raise Refused(f"the model archive is refused: {error}.", code="E-PACKAGE-ARCHIVE") from error
    raise Refused(f"the model archive holds no {name}.", code="E-PACKAGE-ARCHIVE")
