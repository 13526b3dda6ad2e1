"""Evaluation of 10,000,000 scored rows from Parquet against scikit-learn and fairlearn: seconds, memory, and every figure compared.

    make bench ARGS=evaluation                          # makes the peers' environment from benchmarks/evaluation_peer.txt
    python -m benchmarks.evaluation ours FILE           # one measured process of ours, as JSON

The rows are made by a seed: a mixture of smooth, tied (three decimals) and saturated (exactly 0 and 1, and their nearest neighbours)
scores, five groups, twenty segments.  Each contestant is one fresh process and reads the same file; ours also makes 95 % intervals,
which the peers do not.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from mlops_core.local.environments import find_uv
from mlops_core.local.places import project_root

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", "10_000_000"))
COMPARED = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc", "average_precision", "log_loss", "brier",
)  # fmt: skip


def measure() -> Iterator[Figure]:
    """Make the rows and the peers' environment, run ours three times around the peers, compare."""
    python = environment(project_root() / "build" / "bench" / "peers")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scored.parquet"
        make(path, ROWS)
        ours = [_run([sys.executable, "-m", "benchmarks.evaluation", "ours", str(path)]) for _ in range(2)]
        loop = _run([python, "benchmarks/evaluation_peer.py", "loop", str(path)])
        frame = _run([python, "benchmarks/evaluation_peer.py", "frame", str(path)])
        ours.append(_run([sys.executable, "-m", "benchmarks.evaluation", "ours", str(path)]))
    seconds = sorted(each["seconds"] for each in ours)[1]
    spent = ", ".join(f"{each['seconds']:.2f}" for each in ours)
    note = f"median of {spent}; {told(ours[1])}; {len(ours[0]['group'])} groups, {len(ours[0]['segment'])} segments"
    yield Figure(f"ours, {ROWS:,} rows with intervals", seconds, "s", note=note)
    yield Figure("ours, peak memory", max(each["peak_mib"] for each in ours) / 1024, "GiB", at_most=1.6)
    yield Figure("scikit-learn, looped over groups and segments", loop["seconds"], "s", note=told(loop))
    yield Figure("scikit-learn and fairlearn's MetricFrame", frame["seconds"], "s", note=told(frame))
    yield Figure("times faster than the loop", loop["seconds"] / seconds, at_least=5)
    yield Figure("times faster than MetricFrame", frame["seconds"] / seconds, at_least=40)
    yield Figure("greatest difference to the loop", difference(ours[0], loop), at_most=1e-9, note=f"{len(COMPARED)} figures, each part")
    yield Figure("greatest difference to MetricFrame", difference(ours[0], frame), at_most=1e-9)
    yield Figure("runs with the same figures", sum(_figures(each) == _figures(ours[0]) for each in ours), at_least=3)


def told(found: dict[str, Any]) -> str:
    """Processor time, which a busy machine moves less than the clock, and memory."""
    return f"{found['cpu']:.1f} s of processor, {found['peak_mib'] / 1024:.2f} GiB"


def environment(folder: Path) -> str:
    """The peers' interpreter, with the packages of ``benchmarks/evaluation_peer.txt``."""
    uv, python = find_uv(project_root()), folder / "bin" / "python"
    if not python.exists():
        subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    lock = project_root() / "benchmarks" / "evaluation_peer.txt"
    subprocess.run([str(uv), "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock)], check=True)
    return str(python)


def make(path: Path, rows: int) -> None:
    """The scored rows, in row groups of a million."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(20261121)
    group = generator.choice(5, rows, p=[0.5, 0.25, 0.15, 0.08, 0.02])
    segment = generator.choice(20, rows)
    hidden = generator.normal(size=rows) + 0.15 * group - 0.02 * segment
    label = generator.random(rows) < 1 / (1 + np.exp(-1.4 * hidden + 1.1))
    score = 1 / (1 + np.exp(-1.5 * hidden - generator.normal(scale=0.7, size=rows) + 1.0))
    kind = generator.random(rows)
    score = np.where(kind < 0.3, np.round(score, 3), score)
    ends = np.array([0.0, 5e-324, np.nextafter(0.5, 0), 0.5, np.nextafter(1, 0), 1.0])
    score = np.where(kind > 0.95, ends[np.clip((score * 6).astype(int), 0, 5)], score)
    table = pa.table(
        {
            "score": score,
            "label": label,
            "group": pa.DictionaryArray.from_arrays(group.astype("int8"), [f"group {index}" for index in range(5)]).cast(pa.string()),
            "segment": pa.DictionaryArray.from_arrays(segment.astype("int8"), [f"s{index:02d}" for index in range(20)]).cast(pa.string()),
        }
    )
    pq.write_table(table, path, compression="zstd", row_group_size=1_000_000)


def ours(path: Path) -> dict[str, Any]:
    """Our figures of a file, from import to the last one, as numbers."""
    started = time.perf_counter()
    from mlops_core.evaluation.resampling import Resampling
    from mlops_core.evaluation.scored import Part, Scored, evaluate_scored

    found = evaluate_scored(path, Scored("score", "label", by=("group", "segment")), resampling=Resampling(42, 1000))
    seconds = time.perf_counter() - started

    def figures(part: Part) -> dict[str, list[float]]:
        return {name: [estimate.interval.value, estimate.interval.low, estimate.interval.high] for name, estimate in part.figures.items()}

    return {
        "seconds": seconds,
        "cpu": time.process_time(),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "whole": figures(found.whole),
        "group": {value: figures(part) for value, part in found.by["group"].items()},
        "segment": {value: figures(part) for value, part in found.by["segment"].items()},
        "calibration_share": [bin_.rate.value for bin_ in found.calibration.bins],
        "calibration_mean": [bin_.score for bin_ in found.calibration.bins],
        "slices": found.slices.model_dump(mode="json"),
        "audits": [audit.model_dump(mode="json") for audit in found.audits],
    }


def difference(mine: dict[str, Any], peer: dict[str, Any]) -> float:
    """The greatest distance of any compared figure, and of the calibration table."""
    pairs = [(mine["whole"], peer["whole"])]
    pairs += [(mine[name][value], peer[name][value]) for name in ("group", "segment") for value in peer[name]]
    gaps = [abs(own[name][0] - other[name]) for own, other in pairs for name in COMPARED]
    for name in ("calibration_share", "calibration_mean"):
        gaps += [abs(own - other) for own, other in zip(mine[name], peer[name], strict=True)]
    return max(gaps) if not any(math.isnan(gap) for gap in gaps) else math.inf


def _figures(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in {"seconds", "cpu", "peak_mib"}}


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"  {Path(command[1]).name} {command[-2]}: {found['seconds']:.2f} s, {found['peak_mib']:.0f} MiB\n")
    return found


if __name__ == "__main__":
    print(json.dumps(ours(Path(sys.argv[2]))))
