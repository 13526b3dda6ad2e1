"""Renew the pictures in docs/pictures/ from a real run.

    python -m tests.browser.screenshots               # runs the demo's line on a platform of its own
    python -m tests.browser.screenshots --issue 8     # an issue of local/example that the running platform has finished
    python -m tests.browser.screenshots --sets        # only the pages of the three data sets, without a platform

Every picture is what the pages show, cropped and reduced to 256 colours.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

from mlops_core.cli import demo, seed
from mlops_core.cli.console import Console
from mlops_core.cli.platform import EXAMPLE_REPOSITORY, Platform, opened
from mlops_core.local.places import project_root
from tests.browser import three_sets
from tests.browser.chromium import Chromium, Tab
from tests.browser.conftest import become

FOLDER = project_root() / "docs" / "pictures"
MAX_BYTES = 250_000
MARGIN = 8
# The living comment from its head to its plots, in page coordinates.
UP_TO_PLOTS = """(() => { const comment = document.querySelector('article.comment:not(#issue-body)');
    const r = comment.getBoundingClientRect(), images = [...comment.querySelectorAll('img')];
    return [r.x, r.y + scrollY, r.width, Math.max(...images.map(image => image.getBoundingClientRect().bottom)) - r.y] })()"""

# What goes with the target and the map of correlations, side by side or one above the other.
RELATIONS = """(() => { const map = document.querySelector('svg.heat').closest('section');
    const [r, m] = [map.previousElementSibling, map].map(section => section.getBoundingClientRect());
    return [r.x, r.y + scrollY, m.right - r.x, Math.max(r.bottom, m.bottom) - r.y] })()"""


def main() -> int:
    """Write the pictures; exit code 1 when one is too large to keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issue", type=int, help="the number of a finished issue of local/example on the running platform")
    parser.add_argument("--sets", action="store_true", help="only report, quality and features of three data sets")
    parser.add_argument("--data", type=Path, default=project_root().parent / "shared" / "data", help="folder of data sets (NAME/data.csv)")
    given = parser.parse_args()
    console = Console(sys.stdout, sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        sizes = take_sets(Path(folder), given.data)
        if not given.sets:
            sizes |= of_a_run(Path(folder), given.issue, console)
    for name, size in sizes.items():
        sys.stdout.write(f"docs/pictures/{name}.png  {size / 1000:.0f} KB\n")
    return int(any(size > MAX_BYTES for size in sizes.values()))


def of_a_run(folder: Path, issue: int | None, console: Console) -> dict[str, int]:
    """The pages of the local GitHub after a run; sizes in bytes by name."""
    if not issue:
        os.environ["MLOPS_STATE"] = f"{folder}/state"
    with opened(console, keep=False) as platform:
        number = issue or run(platform, console)
        with Chromium(folder / "profile") as browser:
            return take(platform, browser.tab(), number)


def take_sets(folder: Path, data: Path) -> dict[str, int]:
    """Report, quality (its relations apart) and features of three data sets as each is best seen; sizes in bytes by name."""
    made = three_sets.pages(folder / "sets", data=data)
    FOLDER.mkdir(parents=True, exist_ok=True)
    sizes = {}
    with Chromium(folder / "looking") as browser:
        tab = browser.tab()
        for name, found in made.items():
            width = found.asked.width
            for page in ("report", "quality", "features"):
                tab.look(width, found.asked.scheme, scale=2 if width < 500 else 1)
                tab.open(getattr(found, page).as_uri())
                full = min(1500 if width > 500 else 1700, float(tab.run("document.body.getBoundingClientRect().height")))
                sizes[f"{page}-{name}"] = keep(f"{page}-{name}", tab.picture(clip=(0, 0, width, full)))
                if page == "quality":
                    sizes[f"relations-{name}"] = keep(f"relations-{name}", tab.picture(clip=framed(tab.run(RELATIONS))))
    return sizes


def run(platform: Platform, console: Console) -> int:
    """The demo's line; the number of its issue."""
    if demo.run(argparse.Namespace(keep=False, language="en"), console):
        raise SystemExit("the demo did not succeed; no picture was taken")
    issues = platform.github_call("GET", f"/repos/{EXAMPLE_REPOSITORY}/issues?state=all&sort=created&direction=desc")
    return int(issues[0]["number"])


def take(platform: Platform, tab: Tab, issue: int) -> dict[str, int]:
    """Every picture; sizes in bytes by name."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tab.look(1120, height=1000)
    become(tab, platform.url, seed.ASKS)
    tab.open(f"{platform.url}/{EXAMPLE_REPOSITORY}/issues/{issue}")
    links: list[str] = tab.run("[...document.querySelectorAll('main a')].map(link => link.href)")
    sizes = {"issue": keep("issue", tab.picture(clip=framed(tab.run(UP_TO_PLOTS))))}
    report = next(link for link in links if link.endswith("report.html"))
    workflow = next(link for link in reversed(links) if "/actions/runs/" in link)
    pages = {
        "report": (report, 1280, 1180),
        "form": (f"{platform.url}/{EXAMPLE_REPOSITORY}/issues/new?template=train.yml", 900, 1000),
        "actions": (workflow, 1080, 1000),
        "dashboard": (f"{platform.url}/dashboards/mlops-census-income", 1080, 1000),
    }
    for name, (url, width, height) in pages.items():
        tab.look(width, height=height)
        tab.open(url)
        if name == "actions":
            tab.run("document.querySelectorAll('details.step').forEach((step, place) => { step.open = place === 3 })")
        full = min(height, float(tab.run("document.body.getBoundingClientRect().height")))
        sizes[name] = keep(name, tab.picture(clip=(0, 0, width, full)))
    return sizes


def framed(box: list[float]) -> tuple[float, float, float, float]:
    """A box with a little air around it."""
    return box[0] - MARGIN, box[1] - MARGIN, box[2] + 2 * MARGIN, box[3] + 2 * MARGIN


def keep(name: str, png: bytes) -> int:
    """Reduce a picture to a palette and save it; its size in bytes."""
    path = FOLDER / f"{name}.png"
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
