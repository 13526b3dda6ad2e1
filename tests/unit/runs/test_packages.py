"""What must not be registered or served: archives that are no models, and packages that nobody of ours signed."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from mlops_core.adapters.in_memory import MemoryPorts
from mlops_core.capabilities.deployment import verify_package
from mlops_core.contracts.base import canonical
from mlops_core.contracts.model import ModelRecord
from mlops_core.errors import Refused
from mlops_core.runs import packages
from tests.unit.mcp_server import world as w


class Canary:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "ran"))


def signed(memory: MemoryPorts, version: str = "1.0.0") -> ModelRecord:
    """A signed package, registered and approved."""
    record = w.package(memory, "income-00000000-g0", version)
    signature = packages.sign(memory.ports, folder(record))
    properties = {
        "semantic_version": version, "archive_digest": signature.archive_digest, "manifest_digest": signature.manifest_digest,
    }  # fmt: skip
    arn = memory.registry.register("mlops-income", model_uri=record.model_uri, properties=properties, description="")
    memory.registry.approve(arn, approved=True, reason="")
    return record.model_copy(update={"package_arn": arn})


def folder(record: ModelRecord) -> str:
    """Where a package lies."""
    return record.model_uri.removesuffix("model.tar.gz")


def verdict(memory: MemoryPorts, record: ModelRecord) -> str:
    """Why the package is not served."""
    found = verify_package(memory.ports, record.package_arn)
    assert found["valid"] == (not found["reason"])
    return str(found["reason"])


def artefacts(path: Path) -> dict[str, bytes]:
    """What people lay in a model's place; the canary is written by whoever unpickles one."""
    plain = pickle.dumps(Canary(path))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as opened:
        for name in ("smoke.json", "../model.pkl"):
            member = tarfile.TarInfo(name)
            member.size = len(plain)
            opened.addfile(member, io.BytesIO(plain))
    return {"pickle": plain, "joblib": zlib.compress(plain), "gzip": gzip.compress(plain), "csv": b"a,b\n1,2\n", "tar": tar.getvalue()}


@pytest.mark.parametrize("kind", ["pickle", "joblib", "gzip", "csv", "tar"])
def test_what_is_no_model_archive_is_neither_signed_nor_served_and_its_canary_does_not_run(kind: str, tmp_path: Path) -> None:
    """abuse row 88"""
    memory, canary = w.world(), tmp_path / "canary"
    record = signed(memory)
    memory.objects.write(record.model_uri, artefacts(canary)[kind])
    assert verdict(memory, record) == "the archive is not the one that was signed"
    with pytest.raises(Refused) as caught:
        packages.sign(memory.ports, folder(record))
    assert caught.value.code in {"E-PACKAGE-ARCHIVE", "E-PACKAGE-SMOKE"}
    assert not canary.exists()


def test_a_truncated_archive_is_refused() -> None:
    """abuse row 88"""
    memory = w.world()
    record = signed(memory)
    memory.objects.write(record.model_uri, memory.objects.bodies[record.model_uri][:-40])
    assert verdict(memory, record) == "the archive is not the one that was signed"
    with pytest.raises(Refused, match="damaged"):
        packages.sign(memory.ports, folder(record))


def test_an_unsigned_package_is_refused() -> None:
    """abuse row 88"""
    memory = w.world()
    record = signed(memory)
    del memory.objects.bodies[f"{folder(record)}signature.json"]
    refusal = verdict(memory, record)
    assert "a part of the package is missing" in refusal
    assert ".." not in refusal


def test_a_package_signed_by_another_key_is_refused() -> None:
    """abuse row 88"""
    memory = w.world()
    record = signed(memory)
    memory.signer.key_id = "arn:aws:kms:us-east-1:000000000000:key/another"
    assert verdict(memory, record) == "the signature was not made by this installation's key"


def test_an_older_signed_package_in_the_place_of_a_newer_one_is_refused() -> None:
    """abuse row 88"""
    memory = w.world()
    older, newer = signed(memory, "1.0.0"), signed(memory, "1.1.0")
    for name in ("model.tar.gz", "manifest.json", "signature.json", "smoke.json"):
        memory.objects.write(f"{folder(newer)}{name}", memory.objects.bodies[f"{folder(older)}{name}"])
    assert packages.verify(memory.ports, newer.model_uri) == ""
    assert "an older package stands in its place" in verdict(memory, newer)
    assert verdict(memory, older) == ""


def test_another_manifest_than_the_signed_one_is_refused() -> None:
    memory = w.world()
    record = signed(memory)
    manifest = packages.read_manifest(memory.ports, folder(record))
    memory.objects.write(f"{folder(record)}manifest.json", canonical(manifest.model_copy(update={"seed": 43})))
    assert verdict(memory, record) == "the manifest is not the one that was signed"


def test_the_signature_is_written_last_so_that_half_a_package_is_no_package() -> None:
    """abuse row 63"""
    memory = w.world()
    record = w.package(memory, "income-00000000-g0", "1.0.0")
    order: list[str] = []
    write = memory.objects.write

    def noted(uri: str, body: bytes, **rest: Any) -> None:
        order.append(uri.rpartition("/")[2])
        write(uri, body, **rest)

    memory.objects.write = noted  # type: ignore[method-assign]
    packages.sign(memory.ports, folder(record))
    assert order == ["smoke.json", "signature.json"]
