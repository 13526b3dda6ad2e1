"""The page `docs/reference/local-github.md`, made from the routes themselves.

python -m mlops_core.local.github.support_table > docs/reference/local-github.md
"""

from __future__ import annotations

import sys

from mlops_core.local.github.graphql import OPERATIONS
from mlops_core.local.github.rest.call import Route
from mlops_core.local.github.rest.table import CHAPTERS

_HEAD = """# What the local GitHub offers

Generated from the routes by `python -m mlops_core.local.github.support_table`; a test keeps it current. Whatever is not listed is
answered with 404 and its name. Base address: `http://127.0.0.1:PORT/api/v3`.

The server runs by itself, without the local AWS:

```sh
echo '{"port": 8400, "state": "state", "admin_token": "choose-one"}' > github.json
python -m mlops_core.local.github --config github.json
```

`mlops_core.local.github.admin.Admin("http://127.0.0.1:8400", "choose-one")` then makes people, tokens, repositories, webhooks and Apps.
Other keys: `actions` (`OWNER/REPO@REF` to a checkout that stands in for it), `runner_environment`, `python_path` and `act` (what workflow
steps get), `cloudwatch` (whose dashboards to draw), `log_level`, `die_with_parent`.

A token of an App or a workflow run needs the permission in the third column; a person needs the role in the fourth.
"""

_TAIL = """
## GraphQL

At `/api/graphql`, these operations and no others:

{operations}

## Pages

Pages are rendered on the server. Files below `/OWNER/NAME/raw/` are sent as images, text or downloads; `.html` is sent as a document in a
sandbox (no script, no origin, nothing loaded), so that a report can be looked at. GitHub itself shows the text of such a file: there,
download the report or publish it with Pages.

## Git, webhooks, identity

- `git clone` and `git push` of `http://127.0.0.1:PORT/OWNER/NAME.git`; a token as password; protected branches refuse pushes.
- Webhooks are signed (`X-Hub-Signature-256`), queued on disk and repeated after 1, 5 and 25 s when nobody answers or the answer is a 5xx.
- Commits made through the API, the pages and merges are signed; `state/github/allowed_signers` is what `git verify-commit` needs.
- OIDC tokens (RS256, five minutes) come from `/_oidc/token` for runs whose workflow asks for `id-token: write`; the public keys are in
  `state/github/jwks.json`.

## Workflows

Runs are executed by act on this machine, two at a time, for `issues`, `issue_comment`, `pull_request`, `pull_request_review`, `push`,
`repository_dispatch` and `workflow_dispatch`. Modelled: `on` with types, branches and tags; permissions (one token per run with the union
over its jobs; a callee that wants more than its caller is refused at the start); variables, secrets, inputs. Events made with a run's own
token start nothing, `repository_dispatch` and `workflow_dispatch` excepted.

Not modelled: `concurrency`, environments, `schedule`, `workflow_run` as a trigger, filters on paths, artifacts, caches, actions of other
repositories than those configured, more than one called workflow with `id-token: write` in one run, runs in containers. Steps are
processes of this machine: a script injection in a workflow really executes.

## Not modelled elsewhere

Forks, milestones, projects, reactions, line comments of reviews, teams, releases, search, rate limits (arm a fault instead), edits of
comments' history, passwords (people choose who they are on the login page).
"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    for chapter, routes in CHAPTERS.items():
        parts.append(f"\n## {chapter}\n\n| call | what | token permission | role | note |\n| --- | --- | --- | --- | --- |\n")
        parts += [_row(route) for route in routes]
    operations = "\n".join(f"- `{operation}`" for operation in OPERATIONS)
    return "".join([*parts, _TAIL.format(operations=operations)])


def _row(route: Route) -> str:
    what = (route.handler.__doc__ or "").strip().partition("\n")[0]
    permission, role = (f"{route.need.resource}: {route.need.level}", route.need.role) if route.need else ("", "")
    return f"| `{route.method} {route.path.replace(':path', '')}` | {what} | {permission} | {role} | {route.note} |\n"


if __name__ == "__main__":
    sys.stdout.write(render())
