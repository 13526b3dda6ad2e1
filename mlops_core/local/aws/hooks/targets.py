"""Deliveries between services: EventBridge, Scheduler, SNS and API Gateway reach a target only with the permission AWS would ask for."""

from __future__ import annotations

import json
import logging
from typing import Any

from mlops_core.local.aws.hooks.authority import Authority
from mlops_core.local.aws.hooks.names import private
from mlops_core.local.aws.host import AccessDenied

_LOG = logging.getLogger("mlops.local.aws")
_ALARM_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_ROLE_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "events": "events:PutEvents",
}


class Targets:
    """Wraps the deliveries; a refused one is logged, journalled and, where the target has a dead-letter queue, put there."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lambdas = private("services.lambda_svc")
        self._responses = private("core.responses")

    def install(self) -> None:
        """Ask before each delivery."""
        self._wrap_events()
        self._wrap_notifications()
        self._wrap_gateway()
        self._wrap_alarms()

    def _wrap_events(self) -> None:
        events = private("services.eventbridge")
        invoke = events._invoke_target

        def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
            scheduled = "ScheduleExpressionTimezone" in rule or ":schedule/" in str(rule.get("Arn", ""))
            try:
                self._check_target(target, rule, "scheduler" if scheduled else "events")
            except AccessDenied as error:
                _LOG.warning("not delivered to %s: %s", target.get("Arn"), error)
                self._dead_letter(events, target, event)
                return
            invoke(target, event, rule, view)

        events._invoke_target = invoke_target

    def _check_target(self, target: dict[str, Any], rule: dict[str, Any], sender: str) -> None:
        arn, role = str(target.get("Arn", "")), target.get("RoleArn")
        service = arn.split(":")[2] if arn.count(":") > 4 else ""
        action = _ROLE_ACTIONS.get(service)
        if action is None:
            raise AccessDenied(f"targets of service {service!r} are not offered by the local AWS")
        if role:
            self._authority.require_trust(str(role), f"{sender}.amazonaws.com")
            self._authority.enforce_role(str(role), action, arn, {})
        elif sender == "scheduler" or service in ("states", "events"):
            raise AccessDenied(f"the target {arn} has no RoleArn that allows {action}")
        else:
            self._check_policy(service, arn, "events.amazonaws.com", action, str(rule.get("Arn", "")))

    def _check_policy(self, service: str, arn: str, sender: str, action: str, source: str) -> None:
        if service == "lambda":
            policy: Any = self._function_policy(arn)
        elif service == "sns":
            topic = private("services.sns")._topics.get(arn) or {}
            policy = (topic.get("attributes") or {}).get("Policy")
        else:
            queue = private("services.sqs")._queue_by_arn(arn) or {}
            policy = (queue.get("attributes") or {}).get("Policy")
        self._authority.enforce_service(policy, sender, action, arn, source)

    def _function_policy(self, reference: str) -> Any:
        record = self._lambdas._get_func_record_for_ref(reference)[0]
        return record.get("policy") if record else None

    def _dead_letter(self, events: Any, target: dict[str, Any], event: dict[str, Any]) -> None:
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if queue:
            detail = {name: value for name, value in event.items() if not name.startswith("_")}
            events._dispatch_to_sqs(private("core.arn").parse_arn(queue), json.dumps(detail, default=str))

    def _wrap_notifications(self) -> None:
        sns = private("services.sns")
        deliver = sns._deliver_to_lambda

        def deliver_to_lambda(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
            try:
                self._check_policy("lambda", endpoint, "sns.amazonaws.com", "lambda:InvokeFunction", topic_arn)
            except AccessDenied as error:
                _LOG.warning("not delivered to %s: %s", endpoint, error)
                return
            deliver(endpoint, envelope, topic_arn, *rest)

        sns._deliver_to_lambda = deliver_to_lambda

    def _wrap_gateway(self) -> None:
        gateway = private("services.apigateway")
        invoke = gateway._invoke_lambda_proxy

        async def invoke_lambda_proxy(
            integration: dict[str, Any], api_id: str, stage: str, path: str, method: str, *rest: Any, **named: Any
        ) -> Any:
            function = gateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
            account = named.get("owner_account_id") or self._responses.get_account_id()
            region = named.get("owner_region") or self._responses.get_region()
            source = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{method}{path}"
            try:
                with self._responses.request_scope(account, region):
                    self._check_policy("lambda", function, "apigateway.amazonaws.com", "lambda:InvokeFunction", source)
            except AccessDenied as error:
                _LOG.warning("not delivered to %s: %s", function, error)
                return 500, {"Content-Type": "application/json"}, json.dumps({"message": "Internal Server Error"}).encode()
            return await invoke(integration, api_id, stage, path, method, *rest, **named)

        gateway._invoke_lambda_proxy = invoke_lambda_proxy

    def _wrap_alarms(self) -> None:
        watch = private("services.cloudwatch")
        dispatch = watch._dispatch_alarm_actions

        def dispatch_alarm_actions(alarm: dict[str, Any], *rest: Any) -> None:
            source = str(alarm.get("AlarmArn", ""))
            kept = {name: [one for one in alarm.get(name) or [] if self._may_notify(one, source)] for name in _ALARM_ACTIONS}
            dispatch({**alarm, **kept}, *rest)

        watch._dispatch_alarm_actions = dispatch_alarm_actions

    def _may_notify(self, topic: str, alarm: str) -> bool:
        try:
            self._check_policy("sns", topic, "cloudwatch.amazonaws.com", "sns:Publish", alarm)
        except AccessDenied as error:
            _LOG.warning("not delivered to %s: %s", topic, error)
            return False
        return True
