"""Replies in the shapes of OpenAI's HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply: a JSON body, or the ``events`` of a stream.

    ``cut`` breaks it off in the middle; ``page`` is sent in place of the body, as the HTML that it is.
    """

    body: JsonObject
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    events: tuple[JsonObject, ...] = ()
    cut: bool = False
    page: str | None = None


class RequestRefused(Exception):
    """A request that is answered with an error; the message is meant for the caller."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None):
        super().__init__(message)
        self.reply = error_reply(message, status=status, code=code, param=param)


def error_reply(
    message: str,
    *,
    status: int,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error in OpenAI's shape; the type follows from the status."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Reply({"error": error}, status=status, headers=headers or {})


def require_model(body: Mapping[str, Any], name: str) -> None:
    """Refuse every model but one, as OpenAI refuses a model that does not exist."""
    asked = body.get("model")
    if not isinstance(asked, str) or not asked:
        raise RequestRefused("you must provide a model parameter")
    if asked != name:
        message = f"The model `{asked}` does not exist here; this route has `{name}`."
        raise RequestRefused(message, status=404, code="model_not_found", param="model")
