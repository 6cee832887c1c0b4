"""The twin's API Gateway: HTTP in, a REST proxy event to the function, its response back out."""

import base64
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.environment import Configuration
from local.function import Function
from local.gateway import BODY_LIMIT, Gateway

ROOT = Path(__file__).parents[2]
IDENTITY = {"userArn": "arn:aws:sts::123456789012:assumed-role/reader/session"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    configuration = Configuration(
        name="server",
        handler="tests.integration.handlers_for_tests.serve",
        log_file=tmp_path_factory.mktemp("gateway") / "server.log",
        paths=[ROOT],
        timeout_seconds=10,
    )
    with Function(configuration, concurrency=2) as function:
        gateway = Gateway(function, identity=IDENTITY, timeout_seconds=1.0, busy_seconds=0.2)
        gateway.start()
        yield gateway
        gateway.stop()


def call(
    gateway: Gateway,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any, bytes]:
    """Status, headers and body of the answer."""
    request = urllib.request.Request(gateway.url + path, data=body, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def event_of(gateway: Gateway, path: str, **request: Any) -> dict[str, Any]:
    """The event that a request became."""
    event: dict[str, Any] = json.loads(call(gateway, path, **request)[2])
    return event


def returned(gateway: Gateway, result: Any) -> tuple[int, Any, bytes]:
    """The answer when the handler returns ``result``."""
    return call(gateway, "/returns", method="POST", body=json.dumps(result).encode())


def message_of(answer: tuple[int, Any, bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["message"]


def test_a_get_becomes_a_rest_proxy_event(gateway: Gateway) -> None:
    before = time.time()
    event = event_of(gateway, "/a%20b/c?q=r%C3%BCck+schau&q=%26&empty=", headers={"User-Agent": "probe"})
    assert (event["resource"], event["httpMethod"], event["path"]) == ("/{proxy+}", "GET", "/a%20b/c")
    assert event["queryStringParameters"] == {"q": "&", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"q": ["rück schau", "&"], "empty": [""]}
    assert event["pathParameters"] == {"proxy": "a%20b/c"}
    assert event["stageVariables"] is None
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    context = event["requestContext"]
    assert context["resourcePath"] == "/{proxy+}"
    assert "authorizer" not in context
    assert before - 0.01 <= context["requestTimeEpoch"] / 1000 <= time.time()
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "probe"
    assert context["identity"]["userArn"] == IDENTITY["userArn"]


def test_what_is_absent_is_null(gateway: Gateway) -> None:
    event = event_of(gateway, "/")
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None


def test_repeated_headers_are_all_in_the_event(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=5)
    connection.putrequest("GET", "/")
    connection.putheader("X-Tag", "one")
    connection.putheader("X-Tag", "two")
    connection.endheaders()
    event = json.loads(connection.getresponse().read())
    connection.close()
    assert event["headers"]["X-Tag"] == "two"
    assert event["multiValueHeaders"]["X-Tag"] == ["one", "two"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "application/problem+json"])
def test_a_text_body_is_text(gateway: Gateway, kind: str) -> None:
    event = event_of(gateway, "/", method="POST", body='"ü"'.encode(), headers={"Content-Type": kind})
    assert (event["body"], event["isBase64Encoded"]) == ('"ü"', False)


@pytest.mark.parametrize(("kind", "body"), [("application/octet-stream", b"text"), ("application/json", b"\xff\xfe")])
def test_a_body_that_is_no_text_is_base64(gateway: Gateway, kind: str, body: bytes) -> None:
    event = event_of(gateway, "/", method="PUT", body=body, headers={"Content-Type": kind})
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_status_headers_and_body_come_from_the_response(gateway: Gateway) -> None:
    result = {
        "statusCode": 409,
        "headers": {"Retry-After": 3, "X-Both": "a"},
        "multiValueHeaders": {"X-Both": ["a", "b"], "content-type": ["application/problem+json"]},
        "body": "später",
    }
    status, headers, body = returned(gateway, result)
    assert (status, headers["Retry-After"], body.decode()) == (409, "3", "später")
    assert headers.get_all("X-Both") == ["a", "b"]
    assert headers.get_all("Content-Type") == ["application/problem+json"]


def test_a_base64_body_is_sent_as_bytes(gateway: Gateway) -> None:
    status, headers, body = call(gateway, "/bytes")
    assert (status, headers["Content-Type"], body) == (200, "application/octet-stream", bytes(range(256)))


def test_a_response_without_a_body_is_empty(gateway: Gateway) -> None:
    assert returned(gateway, {"statusCode": 204})[::2] == (204, b"")
    assert returned(gateway, {"statusCode": 200, "headers": None})[::2] == (200, b"")


def test_the_answer_to_head_has_no_body(gateway: Gateway) -> None:
    status, headers, body = call(gateway, "/", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        {"body": "no status"},
        {"statusCode": "200"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "answer": "unknown key"},
        {"statusCode": 200, "headers": {"X": None}},
        {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "headers": {"X": "語"}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "multiValueHeaders": {"X": "a"}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
    ],
)
def test_a_malformed_response_is_a_bad_gateway(gateway: Gateway, result: Any) -> None:
    assert message_of(returned(gateway, result)) == (502, "Internal server error")


def test_an_error_of_the_function_is_a_bad_gateway_without_its_text(gateway: Gateway) -> None:
    assert message_of(call(gateway, "/raises")) == (502, "Internal server error")


def test_a_function_that_takes_too_long_is_not_waited_for(gateway: Gateway) -> None:
    status, headers, body = call(gateway, "/sleeps?seconds=1.3")
    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "5")
    assert json.loads(body)["type"] == "urn:bucketwise:problem:too-slow"


def test_a_request_that_finds_no_free_environment_is_one_too_many(gateway: Gateway) -> None:
    time.sleep(0.5)
    with ThreadPoolExecutor(2) as callers:
        busy = [callers.submit(call, gateway, "/sleeps?seconds=0.8") for _ in range(2)]
        time.sleep(0.2)
        status, headers, body = call(gateway, "/")
        assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, "application/problem+json", "1")
        assert json.loads(body)["type"] == "urn:bucketwise:problem:too-busy"
        assert [answer.result()[0] for answer in busy] == [200, 200]


def test_a_body_over_ten_megabytes_is_refused_with_a_reason(gateway: Gateway) -> None:
    answer = call(gateway, "/", method="POST", body=b"x" * (BODY_LIMIT + 1))
    assert message_of(answer) == (413, "Request Too Long")


@pytest.mark.parametrize(("header", "status"), [("Transfer-Encoding: chunked", 411), ("Content-Length: -1", 400)])
def test_a_body_of_unknown_length_is_refused(gateway: Gateway, header: str, status: int) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_one_connection_serves_many_requests_quickly(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=5)
    connection.connect()
    used = connection.sock
    started = time.monotonic()
    for _ in range(50):
        connection.request("POST", "/", body=b"{}")
        assert connection.getresponse().read()
        assert connection.sock is used
    assert time.monotonic() - started < 1.0, "40 ms each would be Nagle's algorithm"
    connection.close()


def test_stopping_closes_the_port_and_open_connections(tmp_path: Path) -> None:
    configuration = Configuration(
        name="server",
        handler="tests.integration.handlers_for_tests.serve",
        log_file=tmp_path / "server.log",
        paths=[ROOT],
    )
    with Function(configuration) as function:
        gateway = Gateway(function)
        gateway.start()
        host = gateway.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().read()
        threads = threading.active_count()
        gateway.stop()
        assert threading.active_count() < threads
        assert connection.sock.recv(1) == b""
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=1)
