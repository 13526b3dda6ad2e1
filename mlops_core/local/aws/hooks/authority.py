"""Who may do what: the IAM evaluator, asked on behalf of callers, roles and services, with every decision journalled.

authority = Authority(config, journal); authority.install()
authority.enforce_role("arn:aws:iam::000000000000:role/machine", "lambda:InvokeFunction", "arn:aws:lambda:…:function:agent", {})
"""

from __future__ import annotations

import contextvars
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from mlops_core.local.aws.config import AwsConfig
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.host import AccessDenied, SessionKeys
from mlops_core.local.aws.journal import Journal

SESSION_SECONDS = 12 * 3600


class Authority:
    """Asks MiniStack's evaluator and journals what it said."""

    def __init__(self, config: AwsConfig, journal: Journal | None) -> None:
        self._config = config
        self._journal = journal
        self._evaluator = private("core.iam_evaluator")
        self._actions = private("core.iam_actions")
        self._sessions = private("services.sts")
        self._roles = private("services.iam")._roles
        self._scope = private("core.responses").request_scope
        self._internal: dict[str, str] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Check every signature and journal every decision that the evaluator takes for requests."""
        enforce, authenticate_only = self._evaluator.enforce, self._evaluator.check_credentials
        self._close_root()

        def journalled(access_key_id: str, iam_action: str, service: str, region: str, *args: Any, **kwargs: Any) -> Any:
            pinned = self._evaluator._signed_request.get()
            if not access_key_id and pinned is None and self._evaluator._served_unsigned(service, iam_action):
                return None  # AssumeRoleWithWebIdentity: its token is the credential
            denied = enforce(access_key_id, iam_action, service, region, *args, **kwargs)
            if denied is None and not self._signed(access_key_id, service, pinned):
                denied = self._evaluator.AuthError("MissingAuthenticationToken", "Request is missing Authentication Token")
            if self._journal is not None and not isinstance(denied, self._evaluator.AuthError):
                resource = args[0] if args else kwargs.get("resource_arn", "*")
                self._journal.record(self._principal(access_key_id), iam_action, resource, allowed=denied is None)
            return denied

        def checked(access_key_id: str, service: str | None = None) -> Any:
            pinned = self._evaluator._signed_request.get()
            failure = authenticate_only(access_key_id, service)
            if failure is None and not self._signed(access_key_id, service or "", pinned):
                return self._evaluator.AuthError("MissingAuthenticationToken", "Request is missing Authentication Token")
            return failure

        self._evaluator.enforce, self._evaluator.check_credentials = journalled, checked

    def _close_root(self) -> None:
        """MiniStack takes ``test``, any twelve digits and no key at all for the root user without looking at the signature."""
        configured = os.environ["AWS_ACCESS_KEY_ID"]
        self._evaluator.is_root_access_key = lambda key: key == configured
        self._evaluator._is_root_key = lambda _key: False

    def _signed(self, key: str, service: str, pinned: Any) -> bool:
        """Whether the key's signature was checked in this request, or the call is one of ours."""
        if key in self._internal.values() or self._evaluator._verified_key.get() == key != "":
            return True
        return service == "s3" and pinned is not None and bool(pinned.s3_scoped)  # a presigned URL: S3 checks it itself

    def enforce_key(self, access_key: str, action: str, resource: str, context: Mapping[str, Any]) -> None:
        """Raise `AccessDenied` unless the key's principal may act; the key is taken as authenticated."""
        denied = self._evaluator.enforce(
            access_key, action, action.partition(":")[0], self._config.region, resource_arn=resource, service_context=dict(context)
        )
        if denied is None:
            return
        if isinstance(denied, self._evaluator.AuthError):
            raise AccessDenied(denied.message)
        explicit = denied.decision == "Deny"
        raise AccessDenied(self._actions.identity_denial_message(action, denied.principal_arn, resource, explicit))

    def enforce_role(self, role_arn: str, action: str, resource: str, context: Mapping[str, Any]) -> None:
        """Raise `AccessDenied` unless the role's policies allow the action."""
        # An empty context: what the running request pinned (signature, anonymity) must not speak for the role.
        contextvars.Context().run(self._scoped, self.enforce_key, self._key_of(role_arn), action, resource, context)

    def enforce_service(self, policy: Any, service: str, action: str, resource: str, source: str) -> None:
        """Raise `AccessDenied` unless a resource's own policy lets an AWS service (``sns.amazonaws.com``) act for ``source``."""
        allowed = contextvars.Context().run(self._scoped, self._policy_allows, policy, service, action, resource, source)
        if self._journal is not None:
            self._journal.record(service, action, resource, allowed=allowed)
        if not allowed:
            raise AccessDenied(f"{service} is not authorized to perform: {action} on resource: {resource} for {source}")

    def require_trust(self, role_arn: str, service: str) -> None:
        """Raise `AccessDenied` unless the role exists and its trust policy admits the service."""
        if not self._trusts(self._role(role_arn), service):
            raise AccessDenied(f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}")

    def assume(self, role_arn: str, service: str, session_name: str) -> SessionKeys:
        """Keys for a role whose trust policy admits a service; `AccessDenied` otherwise."""
        self.require_trust(role_arn, service)
        role = self._role(role_arn)
        keys = SessionKeys(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(32), secrets.token_hex(64))
        name = role_arn.rsplit("/", 1)[-1]
        session = {
            "Arn": f"arn:aws:sts::{self._config.account}:assumed-role/{name}/{session_name}"[:512],
            "UserId": f"{role.get('RoleId', name)}:{session_name}",
            "SecretAccessKey": keys.secret_key,
            "SessionToken": keys.session_token,
            "AccountId": self._config.account,
            "IssuedAt": time.time(),
            "Expiration": time.time() + SESSION_SECONDS,
        }
        self._sessions.register_session(keys.access_key, session)
        return keys

    def _role(self, role_arn: str) -> dict[str, Any]:
        role = self._roles.get_scoped(self._config.account, None, role_arn.rsplit("/", 1)[-1])
        if role is None or role.get("Arn") != role_arn:
            raise AccessDenied(f"The role {role_arn} does not exist or cannot be assumed.")
        found: dict[str, Any] = role
        return found

    def _trusts(self, role: Mapping[str, Any], service: str) -> bool:
        document = role.get("AssumeRolePolicyDocument") or "{}"
        statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
        # A trust policy is a resource policy whose resource is the role itself.
        bound = [{**one, "Resource": role["Arn"]} for one in (statements if isinstance(statements, list) else [statements])]
        resource = str(role["Arn"])
        check = contextvars.Context().run
        return bool(check(self._scoped, self._policy_allows, {"Statement": bound}, service, "sts:AssumeRole", resource, resource))

    def _policy_allows(self, policy: Any, service: str, action: str, resource: str, source: str) -> bool:
        context = self._evaluator.EvalContext(
            principal_arn=service,
            principal_type="AWSService",
            principal_account=self._config.account,
            action=action,
            resource_arn=resource,
            region=self._config.region,
            service_context={
                "aws:sourcearn": source,
                "aws:sourceaccount": self._config.account,
                "aws:sourceowner": self._config.account,
            },
        )
        return bool(self._evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")

    def _key_of(self, role_arn: str) -> str:
        """The key of a session of ours for a role, made without asking its trust policy: the role already belongs to what acts."""
        self._role(role_arn)
        with self._lock:
            key = self._internal.get(role_arn)
            if key is None:
                key = self._internal[role_arn] = f"ASIA{secrets.token_hex(8).upper()}"
                arn = f"arn:aws:sts::{self._config.account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/service"
                session = {"Arn": arn, "UserId": "service", "SecretAccessKey": secrets.token_hex(32), "SessionToken": secrets.token_hex(32)}
                self._sessions.register_session(key, {**session, "AccountId": self._config.account})
        return key

    def _scoped(self, function: Callable[..., Any], *args: Any) -> Any:
        with self._scope(self._config.account, self._config.region):
            # What the host does for a role stands for a call over TLS, as AWS services make it.
            self._evaluator.pin_request_origin("127.0.0.1", True)
            return function(*args)

    def _principal(self, access_key: str) -> str:
        session = self._sessions._sessions.get(access_key)
        if session is not None:
            return str(session.get("Arn", ""))
        return f"key/{access_key}" if access_key else "anonymous"
