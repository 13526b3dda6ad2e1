"""The framing of uploads is decoded whatever the pieces it arrives in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_core.local.aws.hooks.uploads import Frames, FramingError


def _framed(chunks: list[bytes], trailer: str = "") -> bytes:
    body = b"".join(b"%x;chunk-signature=a\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return body + b"0\r\n" + trailer.encode() + b"\r\n"


@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(1, 9))
def test_frames_give_back_their_payload_for_every_cut(chunks: list[bytes], step: int) -> None:
    data = _framed(chunks, "x-amz-checksum-crc32:AAAAAA==\r\n")
    frames = Frames()
    got = b"".join(piece for start in range(0, len(data), step) for piece in frames.feed(data[start : start + step]))
    frames.finish()
    assert got == b"".join(chunks)
    assert frames.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


@pytest.mark.parametrize("data", [b"5\r\nhel", b"zz\r\n", b"", b"a" * 5000])
def test_frames_that_are_cut_or_wrong_are_refused(data: bytes) -> None:
    frames = Frames()

    def read() -> None:
        list(frames.feed(data))
        frames.finish()

    with pytest.raises(FramingError):
        read()
