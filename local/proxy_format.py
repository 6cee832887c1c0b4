"""API Gateway's Lambda proxy format of REST APIs (1.0): an HTTP request as an event, a result as a response."""

import base64
import binascii
import secrets
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.environment import ACCOUNT

API_ID = "local00000"
STAGE = "local"

_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
)
_TEXT_TYPES = frozenset({"", "application/json", "application/xml", "application/x-www-form-urlencoded"})
_RESPONSE_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})


class MalformedResponse(ValueError):
    """A function's result is not a proxy response; API Gateway answers 502."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as received: ``target`` still encoded, ``headers`` in order with their duplicates."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str

    def header(self, name: str) -> str:
        """The last value under ``name`` in whatever case, or the empty string."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def build_event(
    request: Request, identity: Mapping[str, Any], authorizer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event. As in AWS the path stays percent-encoded and query parameters are decoded.

    ``identity`` is laid over ``requestContext.identity``: ``userArn`` and the like of an IAM caller. ``authorizer`` is
    what one told of the caller; without, the event has nothing of that name.
    """
    path, _, query = request.target.partition("?")
    parameters = parse_qsl(query, keep_blank_values=True)
    body, is_base64 = _body(request)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": _grouped(request.headers),
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": _grouped(parameters),
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": _context(request, path, identity)
        | ({} if authorizer is None else {"authorizer": authorizer}),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def parse_response(result: Any) -> Response:
    """The HTTP response that a function's result stands for. Raises MalformedResponse."""
    if not isinstance(result, dict) or not result.keys() <= _RESPONSE_KEYS:
        raise MalformedResponse("not an object, or one with unknown keys")
    status = result.get("statusCode")
    # A boolean is an int to Python alone.
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise MalformedResponse("statusCode is not an HTTP status")
    headers = _response_headers(result)
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "application/json"))
    return Response(status, tuple(headers), _response_body(result))


def _body(request: Request) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    if _is_text(request.header("content-type")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in _TEXT_TYPES or kind.startswith("text/") or kind.endswith(("+json", "+xml"))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups or None


def _context(request: Request, path: str, identity: Mapping[str, Any]) -> dict[str, Any]:
    now = time.time()
    known = {"sourceIp": request.source_ip, "userAgent": request.header("user-agent") or None}
    return {
        "resourceId": "proxy0",
        "resourcePath": "/{proxy+}",
        "httpMethod": request.method,
        "path": path,
        "protocol": "HTTP/1.1",
        "stage": STAGE,
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": request.header("host"),
        "domainPrefix": request.header("host").partition(".")[0],
        "requestId": str(uuid.uuid4()),
        "extendedRequestId": base64.urlsafe_b64encode(secrets.token_bytes(11)).decode(),
        "requestTime": f"{datetime.fromtimestamp(now, UTC):%d/%b/%Y:%H:%M:%S +0000}",
        "requestTimeEpoch": int(now * 1000),
        "identity": {**dict.fromkeys(_IDENTITY), **known, **identity},
    }


def _response_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Both kinds as one list; a name in both keeps each of its different values."""
    single, multiple = _object(result.get("headers")), _object(result.get("multiValueHeaders"))
    if not all(isinstance(values, list) for values in multiple.values()):
        raise MalformedResponse("a header of multiValueHeaders is not a list")
    pairs = [_header(name, value) for name, values in multiple.items() for value in values]
    present = {(name.lower(), value) for name, value in pairs}
    added = [_header(name, value) for name, value in single.items()]
    return pairs + [(name, value) for name, value in added if (name.lower(), value) not in present]


def _object(headers: Any) -> dict[str, Any]:
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise MalformedResponse("headers are not an object")
    return headers


def _header(name: str, value: Any) -> tuple[str, str]:
    if not isinstance(value, str | int | float):
        raise MalformedResponse("a header is neither text nor a number")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        line = f"{name}: {text}".encode("latin-1")
    except UnicodeEncodeError as error:
        raise MalformedResponse("a header holds a character that HTTP cannot carry") from error
    if b"\r" in line or b"\n" in line:
        raise MalformedResponse("a header holds a line break")
    return name, text


def _response_body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponse("body is not a string")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResponse("body is not base64") from error
