"""All REST routes and how one is found."""

from __future__ import annotations

import re
from functools import cache

from mlops_core.local.github.rest import actions, contents, gitdata, issues, people, pulls
from mlops_core.local.github.rest.call import Route

CHAPTERS = {
    "People and Apps": people.ROUTES,
    "Issues": issues.ROUTES,
    "Contents and commits": contents.ROUTES,
    "Git data": gitdata.ROUTES,
    "Pull requests": pulls.ROUTES,
    "Actions and webhooks": actions.ROUTES,
}


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], Route], ...]:
    found = []
    for routes in CHAPTERS.values():
        for route in routes:
            pattern = re.sub(r"\\{(\w+)(:path)?\\}", lambda hit: f"(?P<{hit[1]}>{'.+' if hit[2] else '[^/]+'})", re.escape(route.path))
            found.append((re.compile(pattern), route))
    return tuple(found)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a call below /api/v3 and the values in its path (still percent-encoded)."""
    for pattern, route in _compiled():
        hit = pattern.fullmatch(path)
        if hit and route.method == method:
            return route, hit.groupdict()
    return None
