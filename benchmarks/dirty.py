"""Dirty variants of clean tables: what the data job says to each, and five of them through the whole line.

    python -m benchmarks dirty --data FOLDER              # FOLDER/NAME/data.csv of penguins, titanic and california_housing
    python -m benchmarks dirty --only penguins            # sets, or SET/VARIANT, whose name holds this text

`benchmarks.dirty_files` makes the variants and says what each must get.  The data job runs in this process as its container program
would; one line of a table a variant, and 1 as exit code when any got something else.  A set that is missing is skipped by name.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bars import Case, run
from benchmarks.dirty_files import Variant, variants
from benchmarks.line import started
from mlops_core.contracts.dataset import DataJobConfig, DataProfile
from mlops_core.jobs.main import main as job

DATA = Path("..") / "shared" / "data"
SETS = {
    "penguins": DataJobConfig(task="multiclass", target="species"),
    "titanic": DataJobConfig(task="binary", target="Survived", positive_label="1"),
    "california_housing": DataJobConfig(task="regression", target="median_house_value"),
}
LINE = (
    ("penguins", "semicolon_decimal_comma"),
    ("penguins", "words_for_missing"),
    ("titanic", "utf16"),
    ("titanic", "rows_too_short"),
    ("california_housing", "currency"),
    ("titanic", "quote_never_closed"),
)
"""What goes through `mlops run`: five that make a model, one that must be refused."""
NO_TEXT_LABELS = {("titanic", "labels_in_several_spellings")}
"""Blanks around 0 and 1 are no other spelling: nothing is to be told."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    table: str
    variant: str
    wanted: str
    got: str
    differs: str = ""

    def __str__(self) -> str:
        verdict = "no" if self.differs else "ok"
        return f"| {self.table} | {self.variant} | {self.wanted} | {self.got} | {verdict} | {self.differs} |"


@dataclass(frozen=True)
class Prepared:
    """What the data job made of a file: its profile, or the code and headline of its refusal."""

    profile: DataProfile | None
    refusal: str = ""

    def warnings(self, clean: Prepared) -> set[str]:
        """Codes of the findings, by column, that the clean file does not have."""
        known = {(finding.code, finding.columns) for finding in clean.findings}
        return {code for code, columns in ((finding.code, finding.columns) for finding in self.findings) if (code, columns) not in known}

    @property
    def findings(self) -> tuple[Any, ...]:
        """The warnings of the profile."""
        return self.profile.findings if self.profile else ()

    @property
    def types(self) -> dict[str, str]:
        """Types of the columns of the file."""
        return {item.name: item.type for item in self.profile.all_columns} if self.profile else {}


def prepare(variant: Variant, config: DataJobConfig) -> Prepared:
    """Run the data job on the bytes of a file, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="dirty-") as folder:
        base = Path(folder)
        inputs = base / "processing" / "input"
        for name in ("config", "raw"):
            (inputs / name).mkdir(parents=True)
        (inputs / "config" / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
        (inputs / "raw" / variant.file).write_bytes(variant.raw)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as told:
            code = job(["data"], {"SAGEMAKER_BASE_DIR": str(base)})
        if code == 0:
            path = base / "processing" / "output" / "prepared" / "profile.json"
            return Prepared(DataProfile.model_validate_json(path.read_bytes()))
        message = base / "output" / "message"
        said = json.loads(message.read_text(encoding="utf-8"))["code"] if message.exists() else told.getvalue()[-200:]
        return Prepared(None, said if code != 1 else f"crash {said}")


def likeness(found: Prepared, clean: Prepared) -> str:
    """The strongest verdict that holds."""
    if found.profile is None or clean.profile is None:
        return "refused"
    if found.profile.files == clean.profile.files:
        return "same files"
    if found.profile.spec_digest == clean.profile.spec_digest:
        return "same spec"
    tables = [(each.rows, [(item.type, item.missing) for item in each.all_columns]) for each in (found.profile, clean.profile)]
    return "same table" if tables[0] == tables[1] else "accepted"


RANKS = ("accepted", "same table", "same spec", "same files")


def compared(table: str, variant: Variant, found: Prepared, clean: Prepared) -> Row:
    """What was wanted, what was got, and in what they differ."""
    codes = () if (table, variant.name) in NO_TEXT_LABELS else variant.codes
    wanted = " ".join((variant.verdict, *codes, *(f"{name}:{kind}" for name, kind in variant.types.items())))
    got = likeness(found, clean)
    if got == "refused" or variant.verdict == "refused":
        said = " ".join((got, found.refusal)).rstrip()
        return Row(table, variant.name, wanted, said, "" if said == wanted else "verdict")
    new = found.warnings(clean)
    types = {name: found.types.get(name, "none") for name in variant.types}
    wrong = [f"not told {code}" for code in codes if code not in new]
    wrong += [f"{name} is {kind}" for name, kind in types.items() if kind != variant.types[name]]
    wrong += ["verdict"] * (RANKS.index(got) < RANKS.index(variant.verdict))
    # Whatever else happens to rows: equal ones must not stand on both sides of a split.
    wrong += ["duplicates across splits"] * ("W-LEAK-006" in new)
    return Row(table, variant.name, wanted, " ".join((got, *sorted(new))), ", ".join(wrong))


def jobs(data: Path, only: str) -> Iterator[Row]:
    """Every variant of every set through the data job."""
    for name, config in SETS.items():
        path = data / name / "data.csv"
        if not path.exists():
            sys.stderr.write(f"skipped: {name} (missing below {data})\n")
            continue
        chosen = [variant for variant in variants(path, config.target) if only in f"{name}/{variant.name}"]
        clean = prepare(Variant("clean", path.read_bytes(), "same files"), config) if chosen else Prepared(None)
        yield from (compared(name, variant, prepare(variant, config), clean) for variant in chosen)


def line(data: Path, only: str) -> Iterator[Row]:
    """Some variants through `mlops run`; those that must be the same table must reach the figures of the clean one."""
    chosen = [pair for pair in LINE if only in "/".join(pair) and (data / pair[0] / "data.csv").exists()]
    if not chosen:
        return
    with started(), tempfile.TemporaryDirectory(prefix="dirty-") as folder:
        clean: dict[str, dict[str, Any]] = {}
        for number, (name, word) in enumerate(chosen):
            path = data / name / "data.csv"
            variant = next(each for each in variants(path, SETS[name].target) if each.name == word)
            file = Path(folder) / f"{number}-{variant.file}"
            file.write_bytes(variant.raw)
            if variant.verdict == "same files" and name not in clean:
                clean[name] = _through(name, path, Path(folder) / f"{number}-clean.json")
            yield _arrived(name, variant, _through(name, file, Path(folder) / f"{number}.json"), clean.get(name, {}))


def _through(name: str, path: Path, out: Path) -> dict[str, Any]:
    config = SETS[name]
    positive = f" --positive {config.positive_label}" if config.positive_label else ""
    flags = f"--target {config.target} --task {config.task} --algorithm random_forest --param n_estimators=100{positive}"
    return run(Case(name, name, flags), 42, [path], out)


def _arrived(name: str, variant: Variant, document: dict[str, Any], clean: dict[str, Any]) -> Row:
    """A whole run compared with what the variant must get."""
    refused = variant.verdict == "refused"
    wanted = " ".join(
        ("no model" if refused else "a model", *("same figures" for _ in [1] if variant.verdict == "same files"), *variant.codes)
    )
    told = {warning["code"] for warning in document["warnings"]} | {code for code in variant.codes if code in document["reason"]}
    made = bool(document["model"]["version"])
    equal = document["metrics"] == clean.get("metrics")
    got = " ".join(("a model" if made else "no model", *("same figures" for _ in [1] if equal), *sorted(told)))
    wrong = [f"not told {code}" for code in variant.codes if code not in told]
    wrong += ["verdict"] * (made == refused) + ["figures"] * (variant.verdict == "same files" and not equal)
    return Row(name, f"{variant.name} (mlops run)", wanted, got, ", ".join(wrong))


def main() -> int:
    """Print the table; 1 when anything differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dirty", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print("| set | variant | expected | got | | differs |\n| :-- | :-- | :-- | :-- | :-- | :-- |")
    rows = []
    for part in (jobs, line):
        for row in part(given.data.resolve(), given.only):
            rows.append(row)
            print(row, flush=True)
    wrong = sum(bool(row.differs) for row in rows)
    print(f"\n{len(rows)} verdicts, {wrong} not as expected")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
