"""What bytes are, told before anything is parsed."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.errors import InvalidRequest
from mlops_core.features import encoding
from mlops_core.features.encoding import Examined, examine

TABLE = "name,y\nZoë,1\nÅsa,2\n"


def _examined(folder: Path, raw: bytes) -> Examined:
    path = folder / "raw" / "data.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    return examine(path, folder)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a,y\n1,2\n", "utf-8"),
        (TABLE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TABLE.encode(), "utf-8-sig"),
        (TABLE.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16-be"),
        (TABLE.encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(tmp_path: Path, raw: bytes, expected: str) -> None:
    found = _examined(tmp_path, raw)
    assert (found.encoding, found.digest) == (expected, hashlib.sha256(raw).hexdigest())


def test_bytes_that_are_no_text_are_refused_with_their_offset(tmp_path: Path) -> None:
    """abuse row 81: bytes that are no text."""
    with pytest.raises(InvalidRequest, match="at byte 6: the bytes are no text") as refused:
        _examined(tmp_path, b"a,y\n1,\x81\x8d\n")
    assert refused.value.code == "E-DATA-006"


def test_mixed_encodings_are_refused_with_the_offset_of_the_first_wrong_byte(tmp_path: Path) -> None:
    """abuse row 81: mixed encodings."""
    with pytest.raises(InvalidRequest, match="at byte 11: UTF-8 and other bytes are mixed"):
        _examined(tmp_path, "a,y\nö,1\n".encode() + "zzé,2\n".encode("cp1252"))


def test_utf_16_without_its_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="byte order mark"):
        _examined(tmp_path, TABLE.encode("utf-16-le"))


def test_nul_bytes_are_counted(tmp_path: Path) -> None:
    """abuse row 81: NUL bytes."""
    assert _examined(tmp_path, b"a,y\n1\0,2\n" + b"3,4\n" * 20).nul == 1


def test_a_gzip_file_is_unpacked_and_its_own_bytes_are_the_digest(tmp_path: Path) -> None:
    packed = gzip.compress(TABLE.encode()) + gzip.compress(b"x,3\n")
    found = _examined(tmp_path, packed)
    assert found.plain.read_bytes() == TABLE.encode() + b"x,3\n"
    assert found.digest == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("packed", [gzip.compress(b"a,y\n1,2\n" * 50)[:-12], b"\x1f\x8bnot gzip at all"])
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(InvalidRequest, match="damaged gzip"):
        _examined(tmp_path, packed)


def test_an_error_leaves_no_thread_behind(tmp_path: Path) -> None:
    """One that a forgotten generator still held was joined by whatever thread collected garbage, even by one that was just starting."""
    before = threading.active_count()
    with pytest.raises(InvalidRequest) as refused:
        _examined(tmp_path, b"\x1f\x8bnot gzip at all")
    assert refused.value.__traceback__ is not None
    assert threading.active_count() == before


def test_a_gzip_file_that_unpacks_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "UNPACKED_FREE", 1000)
    with pytest.raises(InvalidRequest, match="unpacks to more than"):
        _examined(tmp_path, gzip.compress(b"1,2\n" * 1_000_000))


@pytest.mark.parametrize("row", ["1 ,2", "1, 2", '" 1",2', "1,2 ", "1,\t2", "1,2\u00a0", "1,2\x0c"])
def test_a_blank_beside_an_edge_is_seen(tmp_path: Path, row: str) -> None:
    assert _examined(tmp_path, f"a,y\n{row}\n".encode()).padded


def test_blanks_inside_values_are_no_padding(tmp_path: Path) -> None:
    assert not _examined(tmp_path, b'a name,y\n"New York,NY",2\na b,c d\n').padded


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\xc2\xa0", b",", b'"', b"\n"]), max_size=40))
def test_a_blank_counts_beside_any_edge_in_any_order(pieces: list[bytes]) -> None:
    chunk = b"".join(pieces)
    blank, edge = b"[ \x0b\x0c\xa0\xc2]", b'[,;|"\r\n\t]'
    beside = b"|".join([blank + edge, edge + blank, b'\t[,;|"\r\n]', b'[,;|"\r\n]\t'])
    assert encoding._has_padding(chunk) == (re.search(beside, chunk) is not None)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet='aé本,\n" ', min_size=1, max_size=40), st.integers(min_value=1, max_value=7))
def test_the_size_of_chunks_changes_nothing(tmp_path_factory: pytest.TempPathFactory, text: str, size: int) -> None:
    folder = tmp_path_factory.mktemp("chunks")
    whole = _examined(folder, text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "CHUNK", size)
        assert _examined(folder, text.encode()) == whole
