"""Web identity: `AssumeRoleWithWebIdentity` believes a token only when its issuer's key signed it.

MiniStack decodes the token without checking it and passes three claims on; wrapped, the token is verified and all of GitHub's claims
reach the role's trust policy.
"""

from __future__ import annotations

import time
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.identity import ExpiredTokenError, InvalidTokenError, claimed_issuer, condition_keys, verify


def install(config: AwsConfig) -> None:
    """Verify tokens against the configured issuers and the audiences of the registered OpenID Connect provider."""
    sts, providers, responses = private("services.sts"), private("services.iam")._oidc_providers, private("core.responses")

    def claims_of(token: str, account: str) -> dict[str, Any]:
        host = _issuer_host(token)
        provider = providers.get_scoped(account, None, f"arn:aws:iam::{account}:oidc-provider/{host}")
        if provider is None:
            raise InvalidTokenError("No OpenIDConnect provider found in your account for the token's issuer")
        return verify(token, config.jwks, provider["ClientIDList"], now=time.time())

    def principal(token: str, _provider_id: str, role_arn: str) -> tuple[str, dict[str, Any]]:
        account = role_arn.split(":")[4]
        claims = claims_of(token, account)
        host = str(claims["iss"]).split("://", 1)[-1].rstrip("/")
        return f"arn:aws:iam::{account}:oidc-provider/{host}", condition_keys(claims)

    trust_denied = sts._web_identity_trust_denied

    def checked(role_arn: str, params: dict[str, Any], use_json: bool) -> Any:
        try:
            return trust_denied(role_arn, params, use_json)
        except InvalidTokenError as error:
            code = "ExpiredTokenException" if isinstance(error, ExpiredTokenError) else "InvalidIdentityToken"
            if use_json:
                return responses.error_response_json(code, str(error), 400)
            return sts._error(400, code, str(error), ns="sts")

    sts._web_identity_principal = principal
    sts._web_identity_trust_denied = checked


def _issuer_host(token: str) -> str:
    """The host named by a token that is not believed yet: it only selects the provider whose keys must confirm it."""
    return claimed_issuer(token).split("://", 1)[-1].rstrip("/")
