"""The dirty variants of a small table: each kind is made once, and a verdict that is not as it should be is seen."""

from __future__ import annotations

from pathlib import Path

from benchmarks.dirty import Prepared, compared, prepare
from benchmarks.dirty_files import Variant, variants
from mlops_core.contracts.dataset import DataJobConfig
from tests.unit.jobs import job_files as jobs

CONFIG = DataJobConfig(task="binary", target="y", memory_limit_mb=256, threads=1)
CLEAN = jobs.csv(jobs.people(120))


def _variants(folder: Path) -> dict[str, Variant]:
    (folder / "data.csv").write_bytes(CLEAN)
    found = list(variants(folder / "data.csv", "y"))
    assert len({variant.name for variant in found}) == len(found) > 40
    return {variant.name: variant for variant in found}


def test_variants_damage_the_bytes_alike_on_every_machine(tmp_path: Path) -> None:
    found = _variants(tmp_path)
    assert found == _variants(tmp_path)
    assert len({variant.raw for variant in found.values()} | {CLEAN}) == len(found) + 1
    assert {variant.verdict for variant in found.values()} == {"same files", "same spec", "same table", "accepted", "refused"}


def test_a_verdict_is_right_only_when_the_data_are_near_enough_and_all_codes_are_told(tmp_path: Path) -> None:
    found = _variants(tmp_path)
    clean = prepare(Variant("clean", CLEAN, "same files"), CONFIG)
    comma = prepare(found["semicolon_decimal_comma"], CONFIG)
    assert not compared("people", found["semicolon_decimal_comma"], comma, clean).differs
    assert compared("people", found["utf16"], comma, clean).differs == "not told W-DATA-020"
    fewer = prepare(found["some_targets_missing"], CONFIG)
    assert compared("people", found["pipe"], fewer, clean).differs == "verdict"
    assert compared("people", found["a_date"], clean, clean).differs == "when is none"


def test_a_refusal_is_right_only_with_its_code(tmp_path: Path) -> None:
    found = _variants(tmp_path)
    empty = prepare(found["empty_file"], CONFIG)
    assert not compared("people", found["empty_file"], empty, empty).differs
    assert compared("people", found["one_row"], empty, empty).differs == "verdict"
    assert compared("people", found["tab"], Prepared(None, "crash"), empty).differs == "verdict"
