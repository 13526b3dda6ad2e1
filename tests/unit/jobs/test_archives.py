"""Archives of models: known names, plain files and bounded sizes, or nothing at all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from mlops_core.errors import Refused
from mlops_core.jobs.archive import read_archive, write_archive


def _archive(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return path


def test_the_members_asked_for_are_read_and_the_other_known_ones_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(write_archive({"model.onnx": b"m", "spec.json": b"s", "native/xgboost.json": b"x"}))
    assert read_archive(path, ["model.onnx"], optional=["training.json"]) == {"model.onnx": b"m"}
    assert read_archive(path, ["spec.json"], optional=["native/.*"]) == {"spec.json": b"s", "native/xgboost.json": b"x"}


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("model.pkl", tarfile.REGTYPE, "no place"),
        ("../model.onnx", tarfile.REGTYPE, "no place"),
        ("/model.onnx", tarfile.REGTYPE, "no place"),
        ("native/../../x.json", tarfile.REGTYPE, "no place"),
        ("model.onnx", tarfile.SYMTYPE, "not a plain file"),
        ("model.onnx", tarfile.LNKTYPE, "not a plain file"),
        ("model.onnx", tarfile.CHRTYPE, "not a plain file"),
        ("model.onnx", tarfile.FIFOTYPE, "not a plain file"),
    ],
)
def test_a_member_that_may_not_be_there_refuses_the_archive(tmp_path: Path, name: str, kind: bytes, says: str) -> None:
    path = _archive(tmp_path / "model.tar.gz", ("spec.json", tarfile.REGTYPE, b"{}"), (name, kind, b""))
    with pytest.raises(Refused, match=says) as caught:
        read_archive(path, ["spec.json"])
    assert caught.value.code == "E-PACK-002"


def test_sizes_counts_doubles_and_damage_are_refused(tmp_path: Path) -> None:
    plain = ("spec.json", tarfile.REGTYPE, b"12345")
    with pytest.raises(Refused, match="more than 4"):
        read_archive(_archive(tmp_path / "a", plain), ["spec.json"], members={"spec.json": 4})
    with pytest.raises(Refused, match="twice"):
        read_archive(_archive(tmp_path / "b", plain, plain), ["spec.json"])
    many = [(f"native/n{index}.json", tarfile.REGTYPE, b"") for index in range(101)]
    with pytest.raises(Refused, match="more than 100 members"):
        read_archive(_archive(tmp_path / "c", *many), ["spec.json"])
    (tmp_path / "d").write_bytes((tmp_path / "a").read_bytes()[:60])
    for broken in ("d", "absent"):
        with pytest.raises(Refused, match="absent, damaged"):
            read_archive(tmp_path / broken, ["spec.json"])
    with pytest.raises(Refused, match=r"lacks model\.onnx"):
        read_archive(_archive(tmp_path / "e", plain), ["model.onnx"])
