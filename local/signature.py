"""What API Gateway does for AWS_IAM before it calls a function: no request passes that is not signed by a known key.

The signature is computed anew from the request as it arrived, after "Create a signed AWS API request" of the IAM User
Guide (Signature Version 4).
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl, quote

from local.proxy_format import Request, Response

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "execute-api"
MOST_SKEW = timedelta(minutes=5)  # how far a request's clock may be off
_MISSING = ("MissingAuthenticationTokenException", "Missing Authentication Token")
_INCOMPLETE = ("IncompleteSignatureException", "The request signature does not conform to AWS standards.")
_UNKNOWN_KEY = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_EXPIRED = ("InvalidSignatureException", "Signature expired.")
_WRONG = (
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided.",
)


class _Refused(Exception):
    def __init__(self, reason: tuple[str, str]) -> None:
        super().__init__(reason[0])
        self.kind, self.message = reason


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """``secrets``: secret access keys by access key id."""

    secrets: Mapping[str, str]
    region: str

    def refusal(self, request: Request) -> Response | None:
        """None for a request that is signed rightly; else the 403 that the template's gateway responses make of it."""
        try:
            self._verify(request, datetime.now(UTC))
        except _Refused as refused:
            return _forbidden(refused.kind, refused.message)
        return None

    def _verify(self, request: Request, now: datetime) -> None:
        given = request.header("authorization")
        if not given:
            raise _Refused(_MISSING)
        parts = _parts(given)
        key_id, _, scope = parts["Credential"].partition("/")
        date = scope.partition("/")[0]
        if scope != f"{date}/{self.region}/{SERVICE}/aws4_request":
            raise _Refused(_INCOMPLETE)
        if key_id not in self.secrets:
            raise _Refused(_UNKNOWN_KEY)
        signed_at = _time_of(request)
        if abs(now - signed_at) > MOST_SKEW:
            raise _Refused(_EXPIRED)
        if date != f"{signed_at:%Y%m%d}":
            raise _Refused(_INCOMPLETE)
        canonical = canonical_request(request, parts["SignedHeaders"])
        to_sign = "\n".join((ALGORITHM, f"{signed_at:%Y%m%dT%H%M%SZ}", scope, _sha256(canonical.encode())))
        key = f"AWS4{self.secrets[key_id]}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        if not hmac.compare_digest(_hmac(key, to_sign).hex(), parts["Signature"]):
            raise _Refused(_WRONG)


def canonical_request(request: Request, signed_headers: str) -> str:
    """The text that a signature covers; ``signed_headers`` are lower-case names with ``;`` between."""
    path, _, query = request.target.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in given)
    names = signed_headers.split(";")
    if "host" not in names:
        raise _Refused(_INCOMPLETE)
    headers = [f"{name}:{' '.join(request.header(name).split())}" for name in names]
    return "\n".join(
        (
            request.method,
            quote(path, safe="/-_.~"),  # encoded once more than it was sent, other than for S3
            "&".join(f"{name}={value}" for name, value in pairs),
            *headers,
            "",
            signed_headers,
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _parts(given: str) -> dict[str, str]:
    algorithm, _, rest = given.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= parts.keys():
        raise _Refused(_INCOMPLETE)
    return parts


def _time_of(request: Request) -> datetime:
    try:
        return datetime.strptime(request.header("x-amz-date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _Refused(_INCOMPLETE) from None


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _forbidden(kind: str, message: str) -> Response:
    body = json.dumps({"type": "about:blank", "title": message, "request_id": str(uuid.uuid4())}).encode()
    headers = (("Content-Type", "application/problem+json"), ("x-amzn-ErrorType", kind))
    return Response(HTTPStatus.FORBIDDEN, headers, body)
