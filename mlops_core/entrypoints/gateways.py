"""Where a step meets GitHub and AWS: the adapters are joined here and nowhere else among the entry points.

    repository_gateway(step).permission("octo/models", "ana")

Imports stand inside the functions: a step that needs no AWS does not load its SDK.
"""

from __future__ import annotations

from mlops_core.entrypoints.oidc import identity_token, refuse_foreign_runner
from mlops_core.entrypoints.runner import Step
from mlops_core.ports import Ports, Repository


def repository_gateway(step: Step) -> Repository:
    """GitHub with the job's own token."""
    from mlops_core.adapters.assemble import repository_for_actions

    return repository_for_actions(step.input("github-token"))


def ports_of(step: Step, repository: str) -> Ports:
    """Every port, with a role assumed by the run's identity token; a self-hosted runner is refused before it asks."""
    from mlops_core.adapters.assemble import ports_for_actions
    from mlops_core.adapters.session import aws_session_from_oidc

    refuse_foreign_runner(step.environ)
    token = identity_token(step.environ)
    step.mask(token)
    name = f"mlops-{step.environ.get('GITHUB_RUN_ID', 'run')}"
    session = aws_session_from_oidc(step.input("role-arn"), token, name, step.input("aws-region"))
    return ports_for_actions(
        session,
        step.input("github-token"),
        step.input("table"),
        step.input("bucket"),
        step.input("state-machine-arn"),
        repository,
    )
