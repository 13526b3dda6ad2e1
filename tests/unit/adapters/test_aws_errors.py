"""Every error that a service of ours documents ends in one class of our tree, with its cause."""

from __future__ import annotations

import functools

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError, ReadTimeoutError

from mlops_core import errors
from mlops_core.adapters.aws_errors import CODES, error_of, translated
from mlops_core.platform.archives import SERVICES


@functools.cache
def documented(service: str) -> tuple[tuple[str, int], ...]:
    """(code, HTTP status) of every error shape of a service's operations."""
    model = botocore.session.Session().get_service_model(service)
    found = {}
    for name in model.operation_names:
        for shape in model.operation_model(name).error_shapes:
            declared = shape.metadata.get("error", {})
            found[declared.get("code") or shape.name] = int(declared.get("httpStatusCode") or 400)
    return tuple(sorted(found.items()))


def client_error(code: str, status: int = 400, text: str = "why") -> ClientError:
    """What botocore raises."""
    return ClientError({"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


@pytest.mark.parametrize("service", SERVICES["server"])
def test_every_documented_error_has_a_class_of_ours(service: str) -> None:
    for code, status in documented(service):
        found = error_of(client_error(code, status), "act")
        assert isinstance(found, errors.Terminal | errors.Retryable)
        assert code in str(found)
        if status >= 500 and code not in CODES:
            assert found.retryable


@pytest.mark.parametrize("code", ["ThrottlingException", "SlowDown", "ProvisionedThroughputExceededException", "InternalServerError"])
def test_what_may_succeed_later_is_retryable(code: str) -> None:
    assert error_of(client_error(code), "act").retryable


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "ExpiredTokenException", "InvalidSignatureException"])
def test_denied_access_is_unauthorized_and_never_retried(code: str) -> None:
    assert type(error_of(client_error(code, 403), "act")) is errors.Unauthorized


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, errors.Unauthorized), (404, errors.NotFound), (429, errors.Throttled), (500, errors.Unavailable), (418, errors.Defect)],
)
def test_an_unknown_code_is_judged_by_its_status(status: int, kind: type[errors.MlopsError]) -> None:
    assert type(error_of(client_error("NeverHeardOf", status), "act")) is kind


def test_a_missing_thing_named_by_a_validation_text_is_not_found() -> None:
    assert type(error_of(client_error("ValidationException", 400, "Could not find endpoint x"), "act")) is errors.NotFound


def test_no_answer_no_credentials_and_our_own_mistakes_are_told_apart() -> None:
    assert type(error_of(EndpointConnectionError(endpoint_url="x"), "act")) is errors.Unavailable
    assert type(error_of(ReadTimeoutError(endpoint_url="x"), "act")) is errors.Unavailable
    assert type(error_of(NoCredentialsError(), "act")) is errors.EnvironmentBroken
    assert type(error_of(ParamValidationError(report="x"), "act")) is errors.Defect


def test_the_cause_is_kept() -> None:
    with pytest.raises(errors.Throttled) as caught, translated("act"):
        raise client_error("Throttling")
    assert isinstance(caught.value.__cause__, ClientError)
