"""The pages' addresses."""

from __future__ import annotations

from starlette.routing import BaseRoute

from mlops_core.local.github.site import Site


def page_routes(site: Site) -> list[BaseRoute]:
    """Every page."""
    del site
    return []
