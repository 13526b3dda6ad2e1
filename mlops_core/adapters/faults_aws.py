"""AWS's errors as ours: every code ends in one class of our tree, with its cause.

    with mapped("reading the ledger"):
        client.get_item(...)

The table follows the services' documented common errors; what is not in it is decided by the HTTP status (5xx may be repeated, 4xx not).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from mlops_core.errors import (
    Conflict,
    EnvironmentBroken,
    InvalidRequest,
    MlopsError,
    NotFound,
    Refused,
    Stale,
    Throttled,
    Unauthorized,
    Unavailable,
)

KINDS: dict[type[MlopsError], frozenset[str]] = {
    Unauthorized: frozenset(
        ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSignatureException", "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "AuthorizationError", "InvalidIdentityToken", "IDPRejectedClaim", "KMSAccessDeniedException", "MissingAuthenticationToken", "IncompleteSignature", "OptInRequired"]
    ),
    NotFound: frozenset(
        ["NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound", "404", "ResourceNotFound", "ResourceNotFoundException", "ExecutionDoesNotExist", "NotFoundException", "StateMachineDoesNotExist", "NoSuchEntity", "TableNotFoundException", "DashboardNotFoundError"]
    ),
    Conflict: frozenset(
        ["ResourceInUse", "ResourceInUseException", "ConflictException", "ExecutionAlreadyExists", "PreconditionFailed", "BucketAlreadyExists", "ResourceConflictException", "EntityAlreadyExists", "OperationAborted"]
    ),
    Stale: frozenset(["ConditionalCheckFailedException", "TransactionConflictException", "ConditionalRequestConflict"]),
    Throttled: frozenset(
        ["Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "ProvisionedThroughputExceededException", "LimitExceededException", "ExecutionLimitExceeded", "PriorRequestNotComplete"]
    ),
    Unavailable: frozenset(
        ["InternalError", "InternalFailure", "InternalServerError", "InternalServiceError", "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "KMSInternalException", "DependencyTimeoutException", "InternalDependencyException", "RequestTimeTooSkewed", "IDPCommunicationError"]
    ),
    Refused: frozenset(
        ["ResourceLimitExceeded", "QuotaExceeded", "KMSDisabledException", "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException", "MessageRejected", "MailFromDomainNotVerifiedException", "StateMachineDeleting"]
    ),
    InvalidRequest: frozenset(
        ["ValidationException", "ValidationError", "InvalidParameterValue", "InvalidParameterValueException", "InvalidParameter", "InvalidArn", "InvalidName", "InvalidExecutionInput", "InvalidOutput", "InvalidToken", "InvalidRequest", "InvalidArgument", "EntityTooLarge", "KeyTooLongError", "MalformedPolicyDocument", "InvalidParameterCombination", "InvalidNextToken", "SerializationException"]
    ),
}
_CLASS_OF = {code: kind for kind, codes in KINDS.items() for code in codes}


def translate(error: ClientError | BotoCoreError, doing: str) -> MlopsError:
    """Our error for AWS's; the headline carries AWS's code and sentence."""
    if isinstance(error, NoCredentialsError):
        return EnvironmentBroken(f"{doing}: there are no AWS credentials.", remedy="Sign in, or use the local platform.")
    if not isinstance(error, ClientError):
        return Unavailable(f"{doing}: {error}", remedy="Check the network, the region and the credentials.")
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", "")) or "no reason given"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    kind = _CLASS_OF.get(code) or (Unavailable if status >= 500 else NotFound if status == 404 else InvalidRequest)
    return kind(f"{doing}: {code}: {text}", code=f"E-AWS-{code or status}")


@contextmanager
def mapped(doing: str) -> Iterator[None]:
    """Turn AWS's errors raised inside into ours, chained."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(error, doing) from error


def is_code(error: ClientError, *codes: str) -> bool:
    """Whether the service answered with one of these codes."""
    return error.response.get("Error", {}).get("Code") in codes
