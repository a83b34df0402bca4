"""Every error a caller can meet, and the one table of error codes.

    UnderstudyError
    ├── Rejected            the caller's fault; nothing was stored or billed
    ├── Unauthorized        no key, or a wrong one
    ├── Forbidden           a link that was never signed, or whose time is over
    ├── InsufficientFunds   the hold does not fit the balance
    ├── NotFound            no such task, model or file for this caller
    ├── Conflict            the task's state forbids the action
    ├── RateLimited         too many requests or queued tasks
    ├── TaskFailed          an attempt failed; says whether it may be tried again
    └── Unavailable         the server cannot serve now

Anything else that is raised is a bug: logged with its request id and answered as an internal error.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One error code of the core vocabulary: HTTP status and Ark's error type."""

    status: int
    type: str


CODES: dict[str, ErrorCode] = {
    "MissingParameter": ErrorCode(400, "BadRequest"),
    "InvalidParameter": ErrorCode(400, "BadRequest"),
    "InvalidParameter.UnsupportedParameter": ErrorCode(400, "BadRequest"),
    "InvalidParameter.TaskTypeConstraint": ErrorCode(400, "BadRequest"),
    "InputTextSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "InputTextSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "InputImageSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "InputImageSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "InputImageSensitiveContentDetected.PrivacyInformation": ErrorCode(400, "BadRequest"),
    "InputVideoSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "InputVideoSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "InputVideoSensitiveContentDetected.PrivacyInformation": ErrorCode(400, "BadRequest"),
    "InputAudioSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "InputAudioSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "OutputTextSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "OutputTextSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "OutputImageSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "OutputImageSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "OutputVideoSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "OutputVideoSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "OutputAudioSensitiveContentDetected": ErrorCode(400, "BadRequest"),
    "OutputAudioSensitiveContentDetected.PolicyViolation": ErrorCode(400, "BadRequest"),
    "AuthenticationError": ErrorCode(401, "Unauthorized"),
    "InsufficientBalance": ErrorCode(402, "PaymentRequired"),
    "AccessDenied": ErrorCode(403, "Forbidden"),
    "InvalidEndpointOrModel.NotFound": ErrorCode(404, "NotFound"),
    "NotFound.TaskId": ErrorCode(404, "NotFound"),
    "NotFound.Path": ErrorCode(404, "NotFound"),
    "NotFound.File": ErrorCode(404, "NotFound"),
    "NotFound.Asset": ErrorCode(404, "NotFound"),
    "InvalidAction.MethodNotAllowed": ErrorCode(405, "MethodNotAllowed"),
    "InvalidAction.TaskNotCompleted": ErrorCode(400, "BadRequest"),
    "InvalidAction.RunningTaskDeletion": ErrorCode(409, "Conflict"),
    "InvalidAction.CancelledTaskDeletion": ErrorCode(409, "Conflict"),
    "InvalidAction.ArchivedTaskDeletion": ErrorCode(409, "Conflict"),
    "InvalidAction.EndedTaskCancellation": ErrorCode(409, "Conflict"),
    "InvalidAction.UploadConflict": ErrorCode(409, "Conflict"),
    "QuotaExceeded": ErrorCode(429, "TooManyRequests"),
    "ServerOverloaded": ErrorCode(429, "TooManyRequests"),
    "InternalServiceError": ErrorCode(500, "InternalServerError"),
    "ServiceUnavailable": ErrorCode(503, "ServiceUnavailable"),
}
"""Source: Ark's public error-code list; rows that Ark does not have are explained in docs/decisions."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: a code of `CODES`, the parameter at fault ("content[1].role") and a full sentence."""

    code: str
    param: str
    message: str


INTERNAL = Violation("InternalServiceError", "", "The service encountered an unexpected internal error.")
"""All that a caller is told of a bug."""


class UnderstudyError(Exception):
    """The root: carries the violation that a dialect spells in its own shape.

    retry_after_s: when asking again makes sense, where that is known.
    """

    def __init__(self, violation: Violation, *, retry_after_s: int | None = None) -> None:
        super().__init__(violation.message)
        self.violation = violation
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """HTTP status of the error's code."""
        return CODES[self.violation.code].status


class Rejected(UnderstudyError):
    """The request breaks at least one rule; ``violations`` lists all, the first is answered."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__(violations[0])
        self.violations = violations


class Unauthorized(UnderstudyError):
    """The key is missing, malformed or unknown."""


class Forbidden(UnderstudyError):
    """The link was never signed by this server, or its time is over; the two are never told apart."""


class InsufficientFunds(UnderstudyError):
    """The most that the request can cost is more than the balance."""


class NotFound(UnderstudyError):
    """There is no such thing, or not for this caller; the two are never told apart."""


class Conflict(UnderstudyError):
    """The task's state forbids the action; asking again does not help."""


class RateLimited(UnderstudyError):
    """The caller, or the server, has too much under way."""


class Unavailable(UnderstudyError):
    """The server cannot serve the request now and says so before storing anything."""


class TaskFailed(UnderstudyError):
    """An attempt at a task failed. is_retryable: another attempt of the same task can succeed."""

    def __init__(self, violation: Violation, *, is_retryable: bool) -> None:
        super().__init__(violation)
        self.is_retryable = is_retryable
