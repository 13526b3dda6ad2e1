"""Run benchmarks and show measured figures beside their bars.

    python -m benchmarks                          # list them
    python -m benchmarks bars imports             # run some (make bench ARGS="bars imports")
    python -m benchmarks all --data FOLDER

Figures are written to ``build/bench/NAME.json``; the exit code is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.figures import Figure, keep, table

OUT = Path("build") / "bench"
DATA = Path("..") / "shared" / "data"
NAMES = {
    "bars": "quality and traps through `mlops run` on the public sets (about 20 minutes; --only NAME for a part)",
    "overhead": "seconds the line adds to its jobs, platform start, label to data job (about 3 minutes)",
    "ten": "ten runs at once against the same ten alone (about 8 minutes)",
    "data": "the data job on 0.5, 2 and 8 GB against a plain DuckDB script (about 35 minutes, 20 GB of disk)",
    "imports": "agent imports, archive sizes, start action (about 1 minute)",
    "serving": "requests/s of our server against FastAPI (needs --model and --peer-python, see benchmarks/serving.py)",
    "evaluation": "10,000,000 scored rows against scikit-learn and fairlearn, exact (about 35 minutes)",
    "audits": "published audits of given decisions: compas, adult (needs --data; seconds)",
    "dirty": "verdicts of the data job on dirty variants of three sets, five through `mlops run` (needs --data; about 8 minutes)",
    "estimate": "predicted memory and time of jobs against measured ones (needs --data; about 8 minutes)",
}
PROGRAMS = ("serving", "estimate", "dirty")
"""Those that print their own table."""


def main() -> int:
    """Run the named benchmarks; without a name list them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*NAMES, "all", []], metavar="NAME", help=", ".join([*NAMES, "all"]))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of data sets (NAME/data.csv)")
    parser.add_argument("--only", default="", help="bars, dirty: cases whose name holds this text")
    parser.add_argument("--model", type=Path, help="serving: an unpacked model archive")
    parser.add_argument("--peer-python", default="", help="serving: the interpreter that has FastAPI")
    given = parser.parse_args()
    if not given.names:
        for name, what in NAMES.items():
            print(f"{name:<10} {what}")
        return 0
    chosen = list(NAMES) if "all" in given.names else given.names
    if len(chosen) == 1:
        return int(not run(chosen[0], given))
    # One process each: what a benchmark leaves in memory, an SDK's credentials for one, must not reach the next.
    options = [
        "--data",
        str(given.data),
        *(["--model", str(given.model)] if given.model else []),
        "--peer-python",
        given.peer_python,
        "--only",
        given.only,
    ]
    ended = [subprocess.run([sys.executable, "-m", "benchmarks", name, *options], check=False) for name in dict.fromkeys(chosen)]
    return int(any(each.returncode for each in ended))


def run(name: str, given: argparse.Namespace) -> bool:
    """One benchmark; whether every bar was met."""
    print(f"\n## {name}: {NAMES[name]}\n", flush=True)
    if name in PROGRAMS:
        return _program(name, given)
    measures: dict[str, Callable[[], Iterable[Figure]]] = {
        "bars": lambda: importlib.import_module("benchmarks.bars").measure(given.data.resolve(), given.only),
        "overhead": lambda: importlib.import_module("benchmarks.line").overhead(),
        "ten": lambda: importlib.import_module("benchmarks.line").ten(),
        "data": lambda: importlib.import_module("benchmarks.data").measure(),
        "imports": lambda: importlib.import_module("benchmarks.imports").measure(),
        "evaluation": lambda: importlib.import_module("benchmarks.evaluation").measure(),
        "audits": lambda: importlib.import_module("benchmarks.audits").measure(given.data.resolve()),
    }
    load = os.getloadavg()[0]
    figures = []
    for figure in measures[name]():
        figures.append(figure)
        sys.stderr.write(f"  {figure.name}: {figure.measured:.4g} {figure.unit}\n")
    print(table(figures))
    print(f"\nload before: {load:.1f} on {os.cpu_count()} cores; kept in {keep(name, figures, folder=OUT)}")
    return all(figure.met for figure in figures)


def _program(name: str, given: argparse.Namespace) -> bool:
    """A benchmark that is a program of its own; it prints its table itself."""
    OUT.mkdir(parents=True, exist_ok=True)
    if name == "serving" and not (given.model and given.peer_python):
        print("skipped: give --model FOLDER and --peer-python PYTHON (see benchmarks/serving.py)")
        return True
    if name in {"estimate", "dirty"} and not given.data.is_dir():
        print(f"skipped: {given.data} is missing (give --data FOLDER)")
        return True
    own = {
        "serving": [str(given.model), "--peer-python", given.peer_python],
        "dirty": ["--data", str(given.data), "--only", given.only],
        "estimate": ["--data", str(given.data), "--out", str(OUT / "estimate.tsv")],
    }
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *own[name]], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
