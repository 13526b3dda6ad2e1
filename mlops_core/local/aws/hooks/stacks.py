"""CloudFormation types that MiniStack lacks, and properties that it accepts and then forgets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from mlops_core.local.aws.hooks.names import private

_TRAIL = frozenset(
    [
        "TrailName",
        "S3BucketName",
        "S3KeyPrefix",
        "IsLogging",
        "IsMultiRegionTrail",
        "IncludeGlobalServiceEvents",
        "EnableLogFileValidation",
        "KMSKeyId",
        "CloudWatchLogsLogGroupArn",
        "CloudWatchLogsRoleArn",
        "SnsTopicName",
        "EventSelectors",
        "AdvancedEventSelectors",
        "InsightSelectors",
        "Tags",
    ]
)
_COMPOSITE = frozenset(
    [
        "AlarmName",
        "AlarmRule",
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "ActionsSuppressor",
        "ActionsSuppressorExtensionPeriod",
        "ActionsSuppressorWaitPeriod",
        "Tags",
    ]
)
_PROVIDER = frozenset(["Url", "ClientIdList", "ThumbprintList", "Tags"])


def install(own_types: Mapping[str, Mapping[str, Any]]) -> None:
    """Register our types and those of the registered services; complete the ones that MiniStack only half applies."""
    handlers = private("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    handlers["AWS::IAM::OIDCProvider"] = {"create": _create_provider, "update": _update_provider, "delete": _delete_provider}
    handlers["AWS::CloudTrail::Trail"] = {"create": _create_trail, "update": _update_trail, "delete": _delete_trail}
    handlers["AWS::CloudWatch::CompositeAlarm"] = {"create": _create_composite, "update": _update_composite, "delete": _delete_alarm}
    for name, each in own_types.items():
        handlers[name] = dict(each)
    _complete(handlers["AWS::S3::Bucket"], _apply_bucket)
    _complete(handlers["AWS::DynamoDB::Table"], _apply_table)
    _complete(handlers["AWS::StepFunctions::StateMachine"], _apply_machine)


def closed(kind: str, properties: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise ValueError naming the first property that a type does not have."""
    unknown = sorted(set(properties) - known)
    if unknown:
        raise ValueError(f"{kind} has no property {unknown[0]!r} here; it knows {', '.join(sorted(known))}.")


def _complete(handler: dict[str, Any], apply: Callable[[str, Mapping[str, Any]], None]) -> None:
    create, update = handler["create"], handler["update"]

    def created(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        apply(made[0], properties)
        return made

    def updated(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: Any) -> Any:
        made = update(physical_id, old, new, *rest)
        apply(made[0], new)
        return made

    handler["create"], handler["update"] = created, updated


def _create_provider(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    closed("AWS::IAM::OIDCProvider", properties, _PROVIDER)
    iam = private("services.iam")
    account = private("core.responses").get_account_id()
    url = str(properties["Url"]).rstrip("/")
    arn = f"arn:aws:iam::{account}:oidc-provider/{url.split('://', 1)[-1]}"
    if arn in iam._oidc_providers:
        raise ValueError(f"Provider with url {url} already exists.")
    iam._oidc_providers[arn] = _provider(arn, url, properties)
    return arn, {"Arn": arn}


def _provider(arn: str, url: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {"ClientIDList": list(properties.get("ClientIdList", [])), "ThumbprintList": list(properties.get("ThumbprintList", []))}
    return {"Url": url, "Arn": arn, "CreateDate": private("services.iam")._now(), "Tags": list(properties.get("Tags", [])), **told}


def _update_provider(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    if old.get("Url") != new.get("Url"):
        _delete_provider(physical_id, old)
        return _create_provider("", new, stack)
    closed("AWS::IAM::OIDCProvider", new, _PROVIDER)
    private("services.iam")._oidc_providers[physical_id] = _provider(physical_id, str(new["Url"]).rstrip("/"), new)
    return physical_id, {"Arn": physical_id}


def _delete_provider(physical_id: str, _properties: Mapping[str, Any]) -> None:
    private("services.iam")._oidc_providers.pop(physical_id, None)


def _answered(answer: tuple[int, Any, Any]) -> dict[str, Any]:
    status, _, body = answer
    text = bytes(body).decode() if isinstance(body, bytes) else str(body)
    if status >= 300:
        raise ValueError(text)
    found: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
    return found


def _trail_call(properties: Mapping[str, Any], name: str) -> dict[str, Any]:
    renamed = {"KMSKeyId": "KmsKeyId"}
    skipped = {"TrailName", "IsLogging", "EventSelectors", "AdvancedEventSelectors", "InsightSelectors", "Tags"}
    return {"Name": name, **{renamed.get(key, key): value for key, value in properties.items() if key not in skipped}}


def _create_trail(logical_id: str, properties: Mapping[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    closed("AWS::CloudTrail::Trail", properties, _TRAIL)
    trails = private("services.cloudtrail")
    name = str(properties.get("TrailName") or f"{stack}-{logical_id}")
    made = _answered(trails._create_trail(_trail_call(properties, name)))
    _finish_trail(trails, name, properties)
    return name, {"Arn": made["TrailARN"], "SnsTopicArn": str(made.get("SnsTopicARN", ""))}


def _finish_trail(trails: Any, name: str, properties: Mapping[str, Any]) -> None:
    for kind in ("EventSelectors", "AdvancedEventSelectors"):
        if kind in properties:
            _answered(trails._put_event_selectors({"TrailName": name, kind: properties[kind]}))
    if str(properties.get("IsLogging", True)).lower() == "true":
        _answered(trails._start_logging({"Name": name}))


def _update_trail(physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    closed("AWS::CloudTrail::Trail", new, _TRAIL)
    trails = private("services.cloudtrail")
    made = _answered(trails._update_trail(_trail_call(new, physical_id)))
    _finish_trail(trails, physical_id, new)
    return physical_id, {"Arn": made["TrailARN"], "SnsTopicArn": str(made.get("SnsTopicARN", ""))}


def _delete_trail(physical_id: str, _properties: Mapping[str, Any]) -> None:
    private("services.cloudtrail")._delete_trail({"Name": physical_id})


def _create_composite(logical_id: str, properties: Mapping[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    closed("AWS::CloudWatch::CompositeAlarm", properties, _COMPOSITE)
    name = str(properties.get("AlarmName") or f"{stack}-{logical_id}")
    _answered(private("services.cloudwatch")._put_composite_alarm({}, {**properties, "AlarmName": name}, is_cbor=False, is_json=True))
    responses = private("core.responses")
    return name, {"Arn": f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:{name}"}


def _update_composite(physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    return _create_composite(physical_id, {**new, "AlarmName": physical_id}, stack)


def _delete_alarm(physical_id: str, _properties: Mapping[str, Any]) -> None:
    _answered(private("services.cloudwatch")._delete_alarms({}, {"AlarmNames": [physical_id]}, is_cbor=False, is_json=True))


def _apply_bucket(name: str, properties: Mapping[str, Any]) -> None:
    s3 = private("services.s3")
    if "BucketEncryption" in properties:
        _answered(s3._put_bucket_encryption(name, _encryption(properties["BucketEncryption"])))
    if "LifecycleConfiguration" in properties:
        _answered(s3._put_bucket_lifecycle(name, _lifecycle(properties["LifecycleConfiguration"])))
    if "LoggingConfiguration" in properties:
        _answered(s3._put_bucket_logging(name, _logging(name, properties["LoggingConfiguration"])))


def _xml(tag: str, value: Any) -> str:
    """Nested mappings and lists as S3's XML: a list repeats its tag, a boolean is lower case."""
    if isinstance(value, list):
        return "".join(_xml(tag, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{tag}>{''.join(_xml(key, each) for key, each in value.items())}</{tag}>"
    return f"<{tag}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{tag}>"


def _encryption(properties: Mapping[str, Any]) -> bytes:
    rules = []
    for each in properties["ServerSideEncryptionConfiguration"]:
        default = dict(each.get("ServerSideEncryptionByDefault", {}))
        rules.append({"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": str(each.get("BucketKeyEnabled", False)).lower()})
    return _xml("ServerSideEncryptionConfiguration", {"Rule": rules}).encode()


def _lifecycle(properties: Mapping[str, Any]) -> bytes:
    rules = [_lifecycle_rule(position, each) for position, each in enumerate(properties["Rules"])]
    return _xml("LifecycleConfiguration", {"Rule": rules}).encode()


def _lifecycle_rule(position: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    known = {"Id", "Status", "Prefix", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "ExpirationInDays"}
    closed("a LifecycleConfiguration rule", rule, frozenset(known))
    made: dict[str, Any] = {
        "ID": rule.get("Id", f"rule-{position}"),
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Status": rule["Status"],
    }
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    for key in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if key in rule:
            made[key] = dict(rule[key])
    return made


def _logging(bucket: str, properties: Mapping[str, Any]) -> bytes:
    target = {"TargetBucket": properties.get("DestinationBucketName", bucket), "TargetPrefix": properties.get("LogFilePrefix", "")}
    return _xml("BucketLoggingStatus", {"LoggingEnabled": target}).encode()


def _apply_table(name: str, properties: Mapping[str, Any]) -> None:
    tables = private("services.dynamodb")
    backups, expiry = properties.get("PointInTimeRecoverySpecification"), properties.get("TimeToLiveSpecification")
    if backups is not None and name in tables._tables:
        _answered(tables._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": dict(backups)}))
    if expiry is not None and name in tables._tables:
        wanted = {"AttributeName": expiry["AttributeName"], "Enabled": str(expiry["Enabled"]).lower() == "true"}
        _answered(tables._update_ttl({"TableName": name, "TimeToLiveSpecification": wanted}))


def _apply_machine(arn: str, properties: Mapping[str, Any]) -> None:
    """MiniStack keeps the template's capital letters, which no SDK reads back."""
    machine = private("services.stepfunctions")._state_machines.get(arn)
    if machine is not None and "LoggingConfiguration" in properties:
        machine["loggingConfiguration"] = _lowered(properties["LoggingConfiguration"])


def _lowered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: _lowered(each) for key, each in value.items()}
    return [_lowered(each) for each in value] if isinstance(value, list) else value
