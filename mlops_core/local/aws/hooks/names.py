"""Every private name of MiniStack that we touch, and the check that none of them moved.

    app = private("app")
    check()            # EnvironmentBroken names what moved

`PINNED` is the one version these names were read in.  The hooks reach MiniStack through `private` only.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any

from mlops_core.errors import EnvironmentBroken

PINNED = "1.5.33"

NAMES: dict[str, str] = {
    "app": (
        "AUTH SERVICE_HANDLERS SERVICE_REGISTRY _IncompleteRequestBody _RequestBodyDisconnected _build_persistence_save_dict _lazy_handler "
        "_load_persisted_state _port_is_bindable _read_request_body app load_state main"
    ),
    "core.arn": "parse_arn",
    "core.iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE _param extract_iam_action extract_resource_arn identity_denial_message request_tag_context"
    ),
    "core.iam_evaluator": (
        "AuthError EvalContext _is_root_key _served_unsigned _signed_request _verified_key check_credentials enforce "
        "evaluate_resource_policy is_root_access_key pin_signed_body"
    ),
    "core.persistence": "STATE_DIR _json_default _json_object_hook _state_format_version save_state",
    "core.responses": "StreamingResponse error_response_json get_account_id get_region json_response now_iso request_scope",
    "core.router": "SERVICE_PATTERNS extract_access_key_id",
    "services.apigateway": "_extract_lambda_ref_from_integration_uri _invoke_lambda_proxy",
    "services.cloudformation.provisioners": "_RESOURCE_HANDLERS",
    "services.cloudformation.stacks": "_delete_resource _provision_resource _update_resource",
    "services.cloudtrail": "_create_trail _delete_trail _put_event_selectors _start_logging _update_trail",
    "services.cloudwatch": (
        "_alarms _calc_stats _delete_alarms _dims_key _dispatch_alarm_actions _evaluate_alarm _evaluate_all_alarms "
        "_evaluate_parent_alarms _evict_old_metrics _metrics _put_composite_alarm _put_metric_data _record_history _stat_value _store_datum"
    ),
    "services.cloudwatch_logs": "_create_log_group _create_log_stream _log_groups _put_log_events",
    "services.dynamodb": "_items_replaced _remove_item _set_item _tables _update_continuous_backups _update_ttl",
    "services.eventbridge": "_dispatch_to_sqs _invoke_target _put_events",
    "services.iam": "_now _oidc_providers _roles",
    "services.kms": "_resolve_key",
    "services.lambda_svc": (
        "CODE_BLOB_DIR _execute_function_warm _get_func_record_for_ref _write_code_blob _xray_trace_id_for_invocation invalidate_worker"
    ),
    "services.s3": (
        "_atomic_write _buckets _complete_multipart_upload _compute_s3_checksum _get_object_data _multipart_uploads _object_disk_path "
        "_put_bucket_encryption _put_bucket_lifecycle _put_bucket_logging _put_object _read_body _record_object_version _upload_part "
        "_version_body _version_disk_path _version_entry_from_record hashlib md5_hash"
    ),
    "services.sns": "_deliver_to_lambda _topics",
    "services.sqs": "_queue_by_arn",
    "services.stepfunctions": (
        "_ExecutionError _add_event _call_lambda _emit_execution_status_event _executions _fail_execution "
        "_invoke_nested_start_execution_sync _invoke_resource _invoke_with_callback _nested_start_execution_request _run_execution "
        "_send_task_success _start_execution _state_machines _stop_execution _task_tokens"
    ),
    "services.sts": "_error _sessions _web_identity_principal _web_identity_trust_denied register_session",
}


def private(module: str) -> Any:
    """A module of MiniStack by its name below the package, for example ``services.sts``."""
    return importlib.import_module(f"ministack.{module}")


def missing() -> list[str]:
    """The names that are not where they were, as ``module.name``."""
    return [f"{module}.{name}" for module, names in NAMES.items() for name in names.split() if not hasattr(private(module), name)]


def check() -> None:
    """Raise `EnvironmentBroken` unless MiniStack is the pinned version with every name in its place."""
    version = metadata.version("ministack")
    if version != PINNED:
        raise EnvironmentBroken(
            f"MiniStack {version} is installed, the local AWS is made for {PINNED}.", remedy="Reinstall the local platform's environment."
        )
    moved = missing()
    if moved:
        raise EnvironmentBroken(
            f"MiniStack {version} lacks {', '.join(moved)}.", remedy="Adapt mlops_core/local/aws/hooks to its new names."
        )
