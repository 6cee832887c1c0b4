"""What callers meet when something goes wrong: one flat family, without status codes or anybody's text."""

from bucketwise.models import FailureReason


class BucketwiseError(Exception):
    """Base of every error that this project raises on purpose."""


class InvalidSettings(BucketwiseError):
    """A setting is missing or wrong; the message names the environment variable, never its value."""


class IndexMismatch(BucketwiseError):
    """The index was built with another embedding model or dimension, or another schema, than is set.

    Or its server is too old to hold one.
    """


class UnreadableDocument(BucketwiseError):
    """An object that can never be indexed as it is: a result, not a reason to try again.

    ``hint`` says what a person can do about it. It holds nothing of the document's content.
    """

    def __init__(self, reason: FailureReason, hint: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.hint = hint


class DeadlineExceeded(BucketwiseError):
    """The request's time was over before the step could begin or end."""


class DatabaseUnavailable(BucketwiseError):
    """The database did not answer, or the connection was lost twice."""


class ParserUnavailable(BucketwiseError):
    """The process that parses documents could not be started, or was lost: worth another try."""


class DiskUnavailable(BucketwiseError):
    """The function's own disk is full, or fails: worth another try, which another environment may get."""


class ParsingTooSlow(BucketwiseError):
    """An invocation's time was up before a document had been parsed to its end."""


class ModelUnavailable(BucketwiseError):
    """The model's server is unreachable, busy or failing: worth another try later.

    ``retry_after`` is what the server asked for, in seconds, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelRefused(BucketwiseError):
    """The model's server will not serve this account or request: a wrong key, no credit, an unknown model.

    ``lasting``: the account or its key was refused, so that every other request would be too. ``malformed``: the server
    does not take a request of this form, such as one with a JSON schema.
    """

    def __init__(self, message: str, *, lasting: bool = False, malformed: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.malformed = malformed


class ModelReplyInvalid(BucketwiseError):
    """The model answered with something that does not fit the request: a wrong count, size or form."""


class BucketUnavailable(BucketwiseError):
    """The bucket did not answer, or refused: without s3:ListBucket S3 says 403 for a missing object too."""


class MalformedEvent(BucketwiseError):
    """An event that is none of the kinds this project subscribes to."""


class EmbeddingMissing(BucketwiseError):
    """A chunk's vector was collected while the chunk was being indexed: worth another try."""


class IndexChanged(BucketwiseError):
    """The index went over to vectors of another embedding model in the middle of the work: worth another try."""


class IndexBehind(BucketwiseError):
    """The index has not reached the corpus version that the caller asks for at least."""


class UnknownCaller(BucketwiseError):
    """Who asks is of no tenant: not among CALLERS, or let in by an authorizer that names no tenant."""


class UnknownDocument(BucketwiseError):
    """The index knows nothing of that key, not even that it was deleted."""


class BudgetExceeded(BucketwiseError):
    """What may be spent in a day is spent, or would be by this request.

    ``scope`` says whose limit it is (caller or tenant), ``unit`` of what (tokens or usd). ``retry_after`` is in
    seconds, until the next day (UTC) begins.
    """

    def __init__(self, scope: str, unit: str, retry_after: int) -> None:
        super().__init__(f"the {scope}'s {unit} of today are spent")
        self.scope = scope
        self.unit = unit
        self.retry_after = retry_after


class QueueUnavailable(BucketwiseError):
    """The queue did not take a message."""


class SecretUnavailable(BucketwiseError):
    """A secret could not be read, or holds something else than it should."""
