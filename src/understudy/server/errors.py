"""How errors leave the server: the core's tree, and everything else, in the dialect's own shape."""

from understudy.core.errors import INTERNAL, Conflict, UnderstudyError, Violation
from understudy.dialects.codec import Codec
from understudy.server.reply import JSON, Reply

# The vendor's SDK repeats a 409 twice unless told not to; asking again never helps here.
_NO_RETRY = (b"x-should-retry", b"false")


def error_reply(error: UnderstudyError, codec: Codec, request_id: str) -> Reply:
    """Answer an error of the core's tree."""
    told = codec.encode_error(error.violation, request_id)
    if error.retry_after_s is not None:
        return Reply(told.status, told.body, (*JSON, (b"retry-after", b"%d" % error.retry_after_s)))
    return Reply(told.status, told.body, (*JSON, _NO_RETRY) if isinstance(error, Conflict) else JSON)


def bug_reply(codec: Codec, request_id: str) -> Reply:
    """Answer a bug: what went wrong is in the log under the request id, and nowhere else."""
    told = codec.encode_error(INTERNAL, request_id)
    return Reply(told.status, told.body)


def wrong_method_reply(codec: Codec, request_id: str, *, method: str, allowed: bytes) -> Reply:
    """Answer a method that the path does not have."""
    message = f"The method {method[:32]} is not allowed for this path; allowed are {allowed.decode('ascii')}."
    violation = Violation("InvalidAction.MethodNotAllowed", "", message)
    told = codec.encode_error(violation, request_id)
    return Reply(told.status, told.body, (*JSON, (b"allow", allowed)))
