"""Where objects land, what is linked, what is packed; how bodies are captured and lines are cut."""

from __future__ import annotations

import tarfile
import time
from pathlib import Path

import pytest

from mlops_core.local.aws.sagemaker.capture import encoded
from mlops_core.local.aws.sagemaker.errors import ProgramFailed
from mlops_core.local.aws.sagemaker.fleet import unpack
from mlops_core.local.aws.sagemaker.platform import mapped
from mlops_core.local.aws.sagemaker.process import Lines
from mlops_core.local.aws.sagemaker.traffic import spaced
from mlops_core.local.aws.sagemaker.transfer import Transfer, pack, relative_name, split_uri
from tests.unit.local.aws.sagemaker.memory_host import ROLE, MemoryHost


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("a/b/", "a/b/c.csv", "c.csv"),
        ("a/b", "a/b/c/d.csv", "c/d.csv"),
        ("a/b.csv", "a/b.csv", "b.csv"),
        ("a/part-", "a/part-1.csv", "part-1.csv"),
        ("", "a/b.csv", "a/b.csv"),
        ("b", "b.csv", "b.csv"),
    ],
)
def test_an_object_lands_where_sagemaker_puts_it(prefix: str, key: str, name: str) -> None:
    assert relative_name(prefix, key) == name


@pytest.mark.parametrize("key", ["p/../../x", "p//x", "p/./x"])
def test_a_key_that_leads_out_of_the_channel_is_refused(tmp_path: Path, key: str) -> None:
    host = MemoryHost(tmp_path)
    host.make_bucket("data")
    host.put("data", key, b"x")
    with pytest.raises(ProgramFailed, match="is no path of a file"):
        Transfer(host, ROLE).download("s3://data/p/", tmp_path / "channel")


def test_a_key_that_is_file_and_folder_is_refused(tmp_path: Path) -> None:
    host = MemoryHost(tmp_path)
    host.make_bucket("data")
    host.put("data", "p/a", b"x")
    host.put("data", "p/a/b", b"x")
    with pytest.raises(ProgramFailed, match="both a file and a folder"):
        Transfer(host, ROLE).download("s3://data/p/", tmp_path / "channel")


@pytest.mark.parametrize("uri", ["http://b/x", "s3:/b", "s3://B_/x", "b/x", "s3://"])
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(ProgramFailed, match="is not an S3 URI"):
        split_uri(uri)


def test_inputs_are_linked_not_copied(tmp_path: Path) -> None:
    host = MemoryHost(tmp_path)
    host.make_bucket("data")
    host.put("data", "p/a", b"x")
    assert Transfer(host, ROLE).download("s3://data/p/", tmp_path / "channel") == 1
    assert (tmp_path / "channel" / "a").samefile(host.read_object("data", "p/a").path)


def test_links_that_lead_out_are_not_packed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    assert not pack(folder, tmp_path / "none.tar.gz")
    (folder / "inside").write_text("1")
    (folder / "outside").symlink_to("/etc/passwd")
    assert pack(folder, tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        assert tar.getnames() == ["inside"]


def test_an_archive_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"pickle")
    with pytest.raises(ProgramFailed, match="Failed to extract model data archive"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out")


def test_only_paths_of_the_container_are_mapped() -> None:
    base = Path("/jobs/a/ml")
    assert mapped("/opt/ml/input", base) == "/jobs/a/ml/input"
    assert mapped("--out=/opt/ml", base) == "--out=/jobs/a/ml"
    assert mapped("/opt/mlx and /opt/ml/input", base) == "/opt/mlx and /opt/ml/input"


def test_bodies_are_captured_as_their_type_or_as_base64() -> None:
    assert encoded(b"1,2", "text/csv; charset=utf-8", {}) == {"data": "1,2", "encoding": "CSV"}
    assert encoded(b"{}", "application/json", {}) == {"data": "{}", "encoding": "JSON"}
    assert encoded(b"{}", "application/json", {"JsonContentTypes": ["application/x"]})["encoding"] == "BASE64"
    assert encoded(b"\xff", "text/csv", {})["encoding"] == "BASE64"


def test_lines_come_whole_in_batches_and_the_last_needs_no_end() -> None:
    seen: list[list[str]] = []
    lines = Lines(lambda batch: seen.append([text for _, text in batch]))
    lines.feed(b"one\ntw")
    lines.feed("o\nthr\u00e9".encode()[:-1])
    time.sleep(0.4)
    assert seen == [["one", "two"]]
    lines.close()
    assert seen[-1] == ["thr\ufffd"]


def test_published_latencies_keep_the_ends_and_the_spread() -> None:
    values = [float(number) for number in range(1001)]
    shown = spaced(values, 20)
    assert (len(shown), shown[0], shown[-1]) == (20, 0.0, 1000.0)
    assert abs(sum(shown) / 20 - 500) < 1
    assert spaced([1.0, 2.0], 20) == [1.0, 2.0]
