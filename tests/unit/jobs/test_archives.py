"""Archives of models: known names, plain files and bounded sizes, or nothing at all."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from mlops_core import unpacking
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


def _gzip(path: Path, raw: bytes, level: int = 9) -> Path:
    path.write_bytes(gzip.compress(raw, level, mtime=0))
    return path


def _header(name: str, kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("model.onnx", tarfile.REGTYPE), ("pad", tarfile.GNUTYPE_LONGNAME), ("pax", tarfile.XHDTYPE)],
    ids=["in a member", "in a long name", "in a header"],
)
def test_a_bomb_ends_at_the_limit_wherever_it_hides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: bytes) -> None:
    """abuse row 87"""
    monkeypatch.setattr(unpacking, "FREE_BYTES", 1 << 20)
    size = 64 << 20
    path = _gzip(tmp_path / "model.tar.gz", _header(name, kind, size) + bytes(size))
    assert path.stat().st_size * 100 < size
    tracemalloc.start()
    with pytest.raises(Refused, match="100 times its size") as caught:
        read_archive(path, ["model.onnx"])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "E-PACK-002"
    assert most < 24 << 20


def test_a_sparse_file_and_a_zip_are_refused(tmp_path: Path) -> None:
    """abuse row 87"""
    with pytest.raises(Refused, match=r"not a plain file|damaged"):
        read_archive(_gzip(tmp_path / "sparse", _header("model.onnx", tarfile.GNUTYPE_SPARSE, 1 << 30) + bytes(4096)), ["model.onnx"])
    with zipfile.ZipFile(tmp_path / "model.tar.gz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(1 << 20))
    with pytest.raises(Refused, match="no gzip tar archive"):
        read_archive(tmp_path / "model.tar.gz", ["model.onnx"])


def test_a_million_members_are_given_up_after_a_hundred(tmp_path: Path) -> None:
    """abuse row 87"""
    one = b"".join(_header(f"native/n{index}.json", tarfile.REGTYPE, 0) for index in range(1000))
    path = tmp_path / "model.tar.gz"
    path.write_bytes(gzip.compress(one, 1, mtime=0) * 1000)
    started = time.monotonic()
    with pytest.raises(Refused, match="more than 100 members"):
        read_archive(path, ["model.onnx"])
    assert time.monotonic() - started < 1


def test_an_honest_archive_of_a_large_model_is_read_whole(tmp_path: Path) -> None:
    trees = b"".join(b"%d,%d;" % (index, index * 7919 % 10_007) for index in range(200_000))
    path = tmp_path / "model.tar.gz"
    path.write_bytes(write_archive({"model.onnx": trees, "spec.json": b"{}"}))
    assert read_archive(path, ["model.onnx"])["model.onnx"] == trees
