"""botocore's errors as ours: one table, total by class of answer.

    with translated("start job"):
        client.create_training_job(...)

Known codes have their own row; of the others a 5xx or a throttle may be repeated, a 403 is `Unauthorized`, a 404 is `NotFound`, anything
else is a `Defect` of ours, because we sent something the service does not take.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError

from mlops_core.errors import (
    Conflict,
    Defect,
    EnvironmentBroken,
    InvalidRequest,
    MlopsError,
    NotFound,
    Stale,
    Throttled,
    Unauthorized,
    Unavailable,
)

CODES: dict[str, type[MlopsError]] = {
    # Asked too often: the same call succeeds later.
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "ThrottledException": Throttled,
    "RequestLimitExceeded": Throttled,
    "TooManyRequestsException": Throttled,
    "TooManyUpdates": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "RequestThrottled": Throttled,
    "RequestThrottledException": Throttled,
    "SlowDown": Throttled,
    "LimitExceededException": Throttled,
    "TransactionInProgressException": Throttled,
    "EC2ThrottledException": Throttled,
    "KMSInternalException": Unavailable,
    # Not answered, or answered by a 5xx.
    "InternalError": Unavailable,
    "InternalFailure": Unavailable,
    "InternalServerError": Unavailable,
    "InternalServiceError": Unavailable,
    "InternalServiceErrorException": Unavailable,
    "InternalDependencyException": Unavailable,
    "InternalStreamFailure": Unavailable,
    "ServiceException": Unavailable,
    "ServiceUnavailable": Unavailable,
    "ServiceUnavailableException": Unavailable,
    "DependencyTimeoutException": Unavailable,
    "KeyUnavailableException": Unavailable,
    "RequestTimeout": Unavailable,
    "RequestTimeoutException": Unavailable,
    "ModelNotReadyException": Unavailable,
    "ResourceNotReadyException": Unavailable,
    "EFSIOException": Unavailable,
    "SnapStartTimeoutException": Unavailable,
    "ResourceConflictException": Unavailable,
    "StateMachineDeleting": Conflict,
    # A condition moved.
    "ConditionalCheckFailedException": Stale,
    "TransactionConflictException": Stale,
    "PreconditionFailed": Stale,
    "ConditionalRequestConflict": Stale,
    "ConflictException": Stale,
    # The name or the thing is taken.
    "ResourceInUse": Conflict,
    "ResourceInUseException": Conflict,
    "AlreadyExistsException": Conflict,
    "ExecutionAlreadyExists": Conflict,
    "ExecutionLimitExceeded": Throttled,
    "ResourceLimitExceeded": Conflict,
    # It is not there.
    "NoSuchKey": NotFound,
    "NoSuchBucket": NotFound,
    "NoSuchVersion": NotFound,
    "NotFound": NotFound,
    "NotFoundException": NotFound,
    "NotFound.ResourceNotFound": NotFound,
    "ResourceNotFound": NotFound,
    "ResourceNotFoundException": NotFound,
    "ExecutionDoesNotExist": NotFound,
    "StateMachineDoesNotExist": NotFound,
    "TaskDoesNotExist": NotFound,
    "TaskTimedOut": NotFound,
    "InvalidToken": NotFound,
    # Not allowed.
    "AccessDenied": Unauthorized,
    "AccessDeniedException": Unauthorized,
    "AuthorizationError": Unauthorized,
    "AuthorizationErrorException": Unauthorized,
    "UnauthorizedOperation": Unauthorized,
    "NotAuthorized": Unauthorized,
    "KMSAccessDeniedException": Unauthorized,
    "KMS.AccessDeniedException": Unauthorized,
    "KMSAccessDenied": Unauthorized,
    "SignatureDoesNotMatch": Unauthorized,
    "InvalidSignatureException": Unauthorized,
    "InvalidClientTokenId": Unauthorized,
    "InvalidAccessKeyId": Unauthorized,
    "UnrecognizedClientException": Unauthorized,
    "IncompleteSignature": Unauthorized,
    "MissingAuthenticationToken": Unauthorized,
    "MissingAuthenticationTokenException": Unauthorized,
    "ExpiredToken": Unauthorized,
    "ExpiredTokenException": Unauthorized,
    "InvalidIdentityToken": Unauthorized,
    "IDPRejectedClaim": Unauthorized,
    "IDPCommunicationError": Unavailable,
    "OptInRequired": Unauthorized,
    "MessageRejected": Unauthorized,
    "MailFromDomainNotVerifiedException": Unauthorized,
    # The environment lacks something.
    "DisabledException": EnvironmentBroken,
    "KMSDisabledException": EnvironmentBroken,
    "KMSInvalidStateException": EnvironmentBroken,
    "KMSNotFoundException": EnvironmentBroken,
    "InvalidKeyUsageException": EnvironmentBroken,
    "DecryptionFailure": EnvironmentBroken,
    # We sent what the service does not take.
    "ValidationException": InvalidRequest,
    "ValidationError": InvalidRequest,
    "InvalidParameter": InvalidRequest,
    "InvalidParameterException": InvalidRequest,
    "InvalidParameterValue": InvalidRequest,
    "InvalidParameterValueException": InvalidRequest,
    "InvalidRequestException": InvalidRequest,
    "InvalidArgument": InvalidRequest,
    "InvalidRequestContentException": InvalidRequest,
    "RequestTooLargeException": InvalidRequest,
    "InvalidExecutionInput": InvalidRequest,
    "InvalidName": InvalidRequest,
    "InvalidOutput": InvalidRequest,
    "InvalidArn": InvalidRequest,
    "ModelError": InvalidRequest,
    "DashboardInvalidInputError": InvalidRequest,
    "LimitExceeded": Conflict,
}
_BY_STATUS: dict[int, type[MlopsError]] = {401: Unauthorized, 403: Unauthorized, 404: NotFound, 409: Conflict, 412: Stale, 429: Throttled}
_TEXT_LIMIT = 400


def error_of(error: Exception, action: str) -> MlopsError:
    """Our error for one of botocore's; the service's own words are kept, cut at 400 characters."""
    if isinstance(error, ClientError):
        return _of_answer(error, action)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return EnvironmentBroken(f"{action}: there are no AWS credentials here.", remedy="Assume the role first.", code="E-AWS-CREDENTIALS")
    if isinstance(error, HTTPClientError | NoConnectionError):
        return Unavailable(f"{action}: AWS did not answer ({type(error).__name__}).", code="E-AWS-NO-ANSWER")
    return Defect(f"{action}: {type(error).__name__}: {str(error)[:_TEXT_LIMIT]}", code="E-AWS-CLIENT")


def _of_answer(error: ClientError, action: str) -> MlopsError:
    details = error.response.get("Error", {})
    code, text = str(details.get("Code", "")), str(details.get("Message", ""))[:_TEXT_LIMIT]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    kind = CODES.get(code) or _BY_STATUS.get(status) or (Unavailable if status >= 500 else Defect)
    # Some services answer a missing thing with a ValidationException; the text is all that tells.
    if kind is InvalidRequest and ("Could not find" in text or "does not exist" in text):
        kind = NotFound
    return kind(f"{action}: {code or status}: {text}", code=f"E-AWS-{code or status}")


@contextlib.contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn what botocore raises inside into our errors, chained."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise error_of(error, action) from error


def is_code(error: ClientError, *codes: str) -> bool:
    """Whether the service answered with one of these codes."""
    return error.response.get("Error", {}).get("Code") in codes
