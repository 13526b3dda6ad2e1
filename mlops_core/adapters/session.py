"""An SDK session from a workflow's identity token.

session = aws_session_from_oidc("arn:aws:iam::1234:role/mlops-train", token, "mlops-17", "eu-west-1")
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from mlops_core.adapters.aws_errors import translated

SESSION_SECONDS = 900


def aws_session_from_oidc(role_arn: str, token: str, session_name: str, region: str) -> Any:
    """A session of 15 minutes as the role; `Unauthorized` with STS's sentence when the trust does not admit the token."""
    client = boto3.client(
        "sts", region_name=region, config=Config(signature_version=UNSIGNED, retries={"max_attempts": 3, "mode": "standard"})
    )
    with translated(f"assume {role_arn.rpartition('/')[2]}"):
        answer = client.assume_role_with_web_identity(
            RoleArn=role_arn, RoleSessionName=session_name, WebIdentityToken=token, DurationSeconds=SESSION_SECONDS
        )
    keys = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=region,
    )
