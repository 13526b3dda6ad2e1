"""The data job on large CSV files, beside a plain DuckDB script that does the same transforms in the same run.

    python -m benchmarks data                       # 0.5, 2 and 8 GB
    MLOPS_BENCH_GB=0.5,2 python -m benchmarks data

The table (14 columns like those of adult, with holes) is made once per size in ``build/bench/data`` and taken away afterwards; 8 GB need
20 GB of disk.  Each contestant is a process of its own with two threads: seconds from start to exit, peak of resident memory.
"""

# ruff: noqa: S608  the table and its names are ours
from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure

FOLDER = Path("build") / "bench" / "data"
SIZES = "0.5,2,8"
ROW_BYTES = 97
MEMORY_MB = 2048
CONFIG = {"task": "binary", "target": "y", "memory_limit_mb": MEMORY_MB, "threads": 2}


def measure() -> Iterator[Figure]:
    """Rate, memory and the ratio of rates for every size; the peer runs once before and once after the job."""
    sizes = [float(text) for text in os.environ.get("MLOPS_BENCH_GB", SIZES).split(",")]
    peaks = {}
    for size in sizes:
        raw = FOLDER / f"{size:g}.csv"
        raw.parent.mkdir(parents=True, exist_ok=True)
        try:
            make(raw, size)
            gigabytes = raw.stat().st_size / 1e9
            first, _ = _plain(raw)
            seconds, peak = _job(raw)
            second, peer_peak = _plain(raw)
            peaks[size] = peak
            plain = (first + second) / 2
            said = f"{gigabytes:.2f} GB, {seconds:.1f} s; plain script {first:.1f} and {second:.1f} s, {peer_peak:,.0f} MB"
            yield Figure(f"data job, {size:g} GB: rate", gigabytes / seconds * 3600, "GB/hour", at_least=100, note=said)
            yield Figure(f"data job, {size:g} GB: rate against the plain script", plain / seconds, "x", at_least=0.6)
            yield Figure(f"data job, {size:g} GB: peak memory", peak, "MB", at_most=MEMORY_MB)
        finally:
            shutil.rmtree(FOLDER, ignore_errors=True)
    if len(peaks) > 1:
        growth = peaks[max(peaks)] / peaks[min(peaks)]
        yield Figure(f"data job: peak memory at {max(peaks):g} GB against {min(peaks):g} GB", growth, "x")


def make(path: Path, gigabytes: float) -> None:
    """The table as CSV; the same rows every time (the engine's hash only makes up test data)."""
    import duckdb

    rows = int(gigabytes * 1e9 / ROW_BYTES)
    words = {
        "workclass": ("g >> 8", ["Private", "Self-emp", "Federal", "Local", "State", "?"]),
        "education": ("g >> 13", ["Bachelors", "HS-grad", "11th", "Masters", "9th", "Some-college", "Assoc-acdm", "Doctorate"]),
        "relation": ("h >> 11", ["Husband", "Wife", "Own-child", "Unmarried", "Not-in-family"]),
        "race": ("h >> 15", ["White", "Black", "Asian", "Other"]),
        "sex": ("h >> 19", ["Male", "Female"]),
        "country": ("h >> 24", ["United-States", "Mexico", "Philippines", "Germany", "Canada", "Puerto-Rico", "India", "Cuba", "China"]),
    }
    text = {name: f"{values}[1 + (({bits}) % {len(values)})::int] as {name}" for name, (bits, values) in words.items()}
    query = f"""select 17 + g % 70 as age, {text["workclass"]}, 12285 + (g >> 10) % 1400000 as fnlwgt, {text["education"]},
        case when (g >> 17) % 50 > 0 then round(((g >> 18) % 1000000) / 137.0, 2) end as income,
        round((h % 100000000) / 1234567.0, 6) as ratio,
        case when (h >> 5) % 33 > 0 then round(ln(1 + (h >> 6) % 100000), 4) end as logx,
        {text["relation"]}, {text["race"]}, {text["sex"]}, (h >> 21) % 99 as hours, {text["country"]},
        round(((h >> 25) % 2000001) / 1000.0 - 1000, 3) as balance,
        case when g % 70 + (h >> 21) % 99 + (g >> 30) % 60 > 110 then '>50K' else '<=50K' end as y
        from (select (hash(i) // 4)::bigint as g, (hash(i + 1000000007) // 4)::bigint as h from range({rows}) t(i))"""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set threads = 2; set memory_limit = '1500MB'")
        connection.execute(f"copy ({query}) to '{path}' (header, delimiter ',')")


def _job(raw: Path) -> tuple[float, float]:
    base = FOLDER / "job"
    shutil.rmtree(base, ignore_errors=True)
    inputs = base / "processing" / "input"
    for name in ("config", "raw"):
        (inputs / name).mkdir(parents=True)
    (inputs / "config" / "config.json").write_text(json.dumps(CONFIG))
    (inputs / "raw" / raw.name).symlink_to(raw.resolve())
    found = _run([sys.executable, "-m", "mlops_core.jobs.main", "data"], {"SAGEMAKER_BASE_DIR": str(base)})
    shutil.rmtree(base)
    return found


def _plain(raw: Path) -> tuple[float, float]:
    found = _run([sys.executable, str(Path(__file__).with_name("data_plain.py")), str(raw), str(FOLDER / "plain")], {})
    shutil.rmtree(FOLDER / "plain")
    return found


def _run(command: list[str], more: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak resident megabytes of a process that must end well."""
    started = time.monotonic()
    with subprocess.Popen(command, env=os.environ | more, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - started, _megabytes(used)


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss * 1024 / 1e6
