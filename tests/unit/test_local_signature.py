"""The twin's API Gateway lets through what botocore signs with a known key, and nothing that differs from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from local.proxy_format import Request
from local.signature import MOST_SKEW, SignatureCheck

HOST = "abc.execute-api.eu-west-1.amazonaws.com"
REGION = "eu-west-1"
CHECK = SignatureCheck({"AKIAKNOWN": "known secret"}, REGION)
KEYS = ReadOnlyCredentials("AKIAKNOWN", "known secret", None)


def signed(
    target: str = "/live/ask",
    body: bytes = b'{"question": "?"}',
    *,
    method: str = "POST",
    keys: ReadOnlyCredentials = KEYS,
    region: str = REGION,
    service: str = "execute-api",
) -> Request:
    request = AWSRequest(method, f"https://{HOST}{target}", headers={"Content-Type": "application/json"}, data=body)
    SigV4Auth(keys, service, region).add_auth(request)
    return Request(method, target, [("Host", HOST), *request.headers.items()], body, "127.0.0.1")


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=[(key, value if key == name else old) for key, old in request.headers])


def kind_of_refusal(request: Request) -> str | None:
    refused = CHECK.refusal(request)
    if refused is None:
        return None
    document = json.loads(refused.body)
    assert (refused.status, document["type"], dict(refused.headers)["Content-Type"]) == (
        403, "about:blank", "application/problem+json",
    )  # fmt: skip
    assert {"title", "request_id"} <= document.keys()
    return dict(refused.headers)["x-amzn-ErrorType"]


@pytest.mark.parametrize(
    "target",
    [
        "/live/ask",
        "/live/documents?key=a%2Fb%20c%2B.txt&state=",
        "/live/documents?b=2&a=1&a=0",
        "/live/%C3%BC%20x/y~z",
    ],
)
def test_what_is_signed_with_a_known_key_passes(target: str) -> None:
    assert kind_of_refusal(signed(target)) is None
    assert kind_of_refusal(signed(target, b"", method="GET")) is None


def test_credentials_of_a_session_pass() -> None:
    assert kind_of_refusal(signed(keys=KEYS._replace(token="of a session"))) is None


def test_a_request_without_a_signature_is_refused() -> None:
    bare = Request("POST", "/live/ask", [("Host", HOST)], b"{}", "127.0.0.1")
    assert kind_of_refusal(bare) == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b'{"question": "!"}'},
        {"method": "PUT"},
        {"target": "/live/search"},
        {"target": "/live/ask?cache=no"},
    ],
)
def test_a_request_that_was_changed_after_it_was_signed_is_refused(changes: dict[str, Any]) -> None:
    assert kind_of_refusal(replace(signed(), **changes)) == "InvalidSignatureException"


def test_a_wrong_secret_is_refused() -> None:
    assert kind_of_refusal(signed(keys=KEYS._replace(secret_key="guessed"))) == "InvalidSignatureException"


def test_an_unknown_key_is_refused() -> None:
    unknown = ReadOnlyCredentials("AKIAOTHER", "known secret", None)
    assert kind_of_refusal(signed(keys=unknown)) == "UnrecognizedClientException"


@pytest.mark.parametrize("scope", [{"region": "us-east-1"}, {"service": "s3"}])
def test_a_signature_for_something_else_is_refused(scope: dict[str, Any]) -> None:
    assert kind_of_refusal(signed(**scope)) == "IncompleteSignatureException"


def test_a_signature_of_long_ago_is_refused() -> None:
    old = datetime.now(UTC) - MOST_SKEW - timedelta(seconds=30)
    late = with_header(signed(), "X-Amz-Date", f"{old:%Y%m%dT%H%M%SZ}")
    assert kind_of_refusal(late) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer token"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAKNOWN"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAKNOWN, SignedHeaders=host, Signature=0"),
        ("X-Amz-Date", "yesterday"),
    ],
)
def test_what_is_no_signature_is_refused(name: str, value: str) -> None:
    assert kind_of_refusal(with_header(signed(), name, value)) == "IncompleteSignatureException"


def test_a_signature_that_leaves_the_host_out_is_refused() -> None:
    request = signed()
    without = request.header("authorization").replace("SignedHeaders=content-type;host;", "SignedHeaders=content-type;")
    assert kind_of_refusal(with_header(request, "Authorization", without)) == "IncompleteSignatureException"
