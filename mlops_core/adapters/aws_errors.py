"""botocore's errors as ours: one table, total by class of answer.

    with translated("start job"):
        client.create_training_job(...)

What botocore tries again is tried three times more, with growing and jittered waits (standard mode, set where clients are made).

Known codes have their own row; of the others a 5xx or a throttle may be repeated, a 403 is `Unauthorized`, a 404 is `NotFound`, anything
else is a `Defect` of ours, because we sent something the service does not take.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from mlops_core.errors import (
    Conflict,
    Defect,
    EnvironmentBroken,
    InvalidRequest,
    MlopsError,
    NotFound,
    Stale,
    Terminal,
    Throttled,
    Unauthorized,
    Unavailable,
)

T = TypeVar("T")

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
    # The bytes that arrived are not those that were sent.
    "BadDigest": Unavailable,
    "XAmzContentChecksumMismatch": Unavailable,
    "XAmzContentSHA256Mismatch": Unavailable,
    "IncompleteBody": Unavailable,
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
_KEY_CODES = frozenset(code for code in CODES if code.startswith("KMS")) - {"KMSInternalException"} | {
    "DisabledException",
    "InvalidKeyUsageException",
    "DecryptionFailure",
}
_BROKEN_BODY = (FlexibleChecksumError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""What breaks while a body is read, after botocore's own tries are over."""
_TRIES = 4


def error_of(error: Exception, action: str, key: str = "") -> MlopsError:
    """Our error for one of botocore's; the service's own words are kept, cut at 400 characters.

    ``key`` is the alias of the key that the call needs: an error of KMS, or a denied use of a key, names it.
    """
    if isinstance(error, ClientError):
        return _of_answer(error, action, key)
    if isinstance(error, FlexibleChecksumError | IncompleteReadError):
        return Unavailable(f"{action}: the bytes that arrived are not those that were stored.", code="E-AWS-CHECKSUM")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return EnvironmentBroken(f"{action}: there are no AWS credentials here.", remedy="Assume the role first.", code="E-AWS-CREDENTIALS")
    if isinstance(error, HTTPClientError | NoConnectionError):
        return Unavailable(f"{action}: AWS did not answer ({type(error).__name__}).", code="E-AWS-NO-ANSWER")
    return Defect(f"{action}: {type(error).__name__}: {str(error)[:_TEXT_LIMIT]}", code="E-AWS-CLIENT")


def _of_answer(error: ClientError, action: str, key: str) -> MlopsError:
    details = error.response.get("Error", {})
    # S3 hands on what KMS said as KMS.DisabledException, KMS.KMSInvalidStateException and so on.
    code, text = str(details.get("Code", "")), str(details.get("Message", ""))[:_TEXT_LIMIT]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    plain = code.removeprefix("KMS.")
    kind = CODES.get(code) or CODES.get(plain) or _BY_STATUS.get(status) or (Unavailable if status >= 500 else Defect)
    # Some services answer a missing thing with a ValidationException; the text is all that tells.
    if kind is InvalidRequest and ("Could not find" in text or "does not exist" in text):
        kind = NotFound
    if key and issubclass(kind, Terminal) and (plain in _KEY_CODES or code.startswith("KMS.") or "kms:" in text):
        return _of_key(kind, f"{action}: {code}: {text}", key)
    return kind(f"{action}: {code or status}: {text}", code=f"E-AWS-{code or status}")


def _of_key(kind: type[MlopsError], words: str, key: str) -> MlopsError:
    """The key is disabled, pending deletion, absent or not for this role: nothing that a repetition mends."""
    if kind is Unauthorized:
        return Unauthorized(
            f"the key {key} may not be used here. {words}",
            remedy="Deploy the templates again, or allow the role its use.",
            code="E-AWS-KEY",
        )
    remedy = f"Enable {key} in KMS, or cancel its deletion while that is possible; without it nothing can be read, stored or signed."
    return EnvironmentBroken(f"the key {key} cannot be used. {words}", remedy=remedy, code="E-AWS-KEY")


@contextlib.contextmanager
def translated(action: str, *, key: str = "") -> Iterator[None]:
    """Turn what botocore raises inside into our errors, chained; ``key`` is the alias of the key that the call needs."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise error_of(error, action, key) from error


class BrokenBodyError(Exception):
    """A body that ended early, stopped coming or does not fit its checksum; ``cause`` is the SDK's error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@contextlib.contextmanager
def reading_body() -> Iterator[None]:
    """Around the reading of a body, which the SDK does not try again once the call itself has succeeded."""
    try:
        yield
    except _BROKEN_BODY as error:
        raise BrokenBodyError(error) from error


def patiently(call: Callable[[], T]) -> T:
    """Call again, at most three times, while bytes get lost or changed on the way: what the SDK itself does not try again.

    Waits between calls are drawn from 0 to 0.2, 0.4 and 0.8 s (full jitter).
    """
    for attempt in range(_TRIES):
        try:
            return call()
        except BrokenBodyError as error:
            if attempt == _TRIES - 1:
                raise error.cause from error
        except ClientError as error:
            if attempt == _TRIES - 1 or not is_code(error, *_MANGLED):
                raise
        time.sleep(random.SystemRandom().uniform(0, 0.2 * 2**attempt))
    raise Defect("the last try neither returned nor raised.")


_MANGLED = ("BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "IncompleteBody")


def is_code(error: ClientError, *codes: str) -> bool:
    """Whether the service answered with one of these codes."""
    return error.response.get("Error", {}).get("Code") in codes
