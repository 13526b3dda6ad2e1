"""The state machines pass asl-validator (npm), an independent reading of the language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from tests.policy.test_asl import MACHINES

pytestmark = pytest.mark.node
PACKAGE = "asl-validator@4"


@pytest.mark.parametrize("name", [path.name for path in MACHINES])
def test_asl_validator_finds_nothing(name: str) -> None:
    npx = shutil.which("npx")
    assert npx is not None, "Node is needed for this test"
    path = next(item for item in MACHINES if item.name == name)
    text = path.read_text(encoding="utf-8").replace("${OperatorWaitSeconds}", "259200")
    text = re.sub(r"\$\{(\w+)\}", r"arn:aws:states:us-east-1:000000000000:stateMachine:\1", text)
    done = subprocess.run(
        [npx, "--yes", PACKAGE, "--json-definition", json.dumps(json.loads(text))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
