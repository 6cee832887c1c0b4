"""API Gateway's Lambda authorizer of type TOKEN: a function is asked about a token, and its policy is gone by."""

import re
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from local.environment import ACCOUNT, FunctionError
from local.function import Function
from local.proxy_format import API_ID, STAGE, Request

# As the template sets them.
BEARER_PATTERN = r"^[Bb]earer [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
KEEP_SECONDS = 60.0


class Refused(Exception):
    """The request goes no further; ``status`` and ``message`` are API Gateway's."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class TokenAuthorizer:
    """Callable from many threads. A policy is kept for its token, whatever route is asked for next."""

    def __init__(self, function: Function, *, keep_seconds: float = KEEP_SECONDS) -> None:
        self._function = function
        self._keep_seconds = keep_seconds
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def admit(self, request: Request) -> dict[str, Any]:
        """What becomes ``requestContext.authorizer``. Raises Refused."""
        token = request.header("authorization")
        if not re.fullmatch(BEARER_PATTERN, token):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        path = request.target.partition("?")[0]
        arn = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{API_ID}/{STAGE}/{request.method}{path}"
        result = self._policy(token, arn)
        try:
            principal, statements = result["principalId"], result["policyDocument"]["Statement"]
            context = {name: _as_text(value) for name, value in (result.get("context") or {}).items()}
            allowed = [each["Effect"] == "Allow" for each in statements if _covers(each, arn)]
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error") from error
        if not allowed or not all(allowed):
            raise Refused(HTTPStatus.FORBIDDEN, "User is not authorized to access this resource")
        return {"principalId": principal, "integrationLatency": 0, **context}

    def _policy(self, token: str, arn: str) -> Mapping[str, Any]:
        with self._lock:
            kept_until, policy = self._kept.get(token, (0.0, {}))
        if time.monotonic() < kept_until:
            return policy
        try:
            given: Mapping[str, Any] = self._function.invoke(
                {"type": "TOKEN", "authorizationToken": token, "methodArn": arn}
            )
        except FunctionError as error:
            if error.message == "Unauthorized":
                raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized") from None
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error") from None
        with self._lock:
            self._kept[token] = time.monotonic() + self._keep_seconds, given
        return given


def _covers(statement: Mapping[str, Any], arn: str) -> bool:
    """Whether it is about calling ``arn``; ``*`` stands for any characters, slashes too."""
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    patterns = [re.escape(each).replace(r"\*", ".*") for each in resources]
    return statement["Action"] == "execute-api:Invoke" and any(re.fullmatch(each, arn) for each in patterns)


def _as_text(value: object) -> str:
    """API Gateway hands on numbers and booleans as text, and nothing that has parts."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise TypeError("a value of the authorizer's context has parts")
    return str(value)
