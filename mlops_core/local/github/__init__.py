"""A GitHub on loopback: REST, GraphQL, git, webhooks, OIDC, workflows and pages over one state folder.

    python -m mlops_core.local.github --config github.json

The server needs no account and no network.  It offers what PyGithub, git, act and a person in a browser need to drive the product's
line; whatever it does not model is refused by name (`docs/reference/local-github.md` is the generated list).
"""
