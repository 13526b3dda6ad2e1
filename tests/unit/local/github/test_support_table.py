"""The reference page says what the server offers."""

from __future__ import annotations

from pathlib import Path

from mlops_core.local.github.rest.table import CHAPTERS, find
from mlops_core.local.github.support_table import render

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "local-github.md"


def test_the_support_table_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run: python -m mlops_core.local.github.support_table > docs/reference/local-github.md"
    )


def test_every_route_is_found_by_its_own_path() -> None:
    for routes in CHAPTERS.values():
        for route in routes:
            found = find(route.method, route.path.replace("{", "").replace("}", "").replace(":path", ""))
            assert found is not None
            assert found[0].handler is route.handler or "path" in route.path


def test_what_changes_something_asks_for_a_right() -> None:
    open_calls = {"/user/repos", "/app/installations/{installation_id}/access_tokens"}
    for routes in CHAPTERS.values():
        for route in routes:
            if route.method != "GET" and route.path not in open_calls:
                assert route.need is not None, route.path
                assert route.need.level == "write", route.path
