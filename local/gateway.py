"""API Gateway in front of one function: an HTTP server that speaks the REST proxy format to it."""

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.authorizer import Refused, TokenAuthorizer
from local.environment import FunctionError
from local.function import Function, Throttled
from local.proxy_format import MalformedResponse, Request, Response, build_event, parse_response

TIMEOUT_SECONDS = 29.0  # API Gateway's integration timeout
BUSY_SECONDS = 25.0  # AWS throttles at once; one laptop's few environments deserve a queue
BODY_LIMIT = 10 * 1024 * 1024  # bytes, API Gateway's payload quota
_DISCARD_LIMIT = 8 * BODY_LIMIT
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})


class Gateway:
    """Serves ``function`` on 127.0.0.1; ``port`` 0 takes a free one.

    ``identity`` goes into every event's ``requestContext.identity``: the caller that IAM would have verified.
    ``refusal``: the answer to a request that is kept from the function; None lets it through. With an ``authorizer``,
    each request needs a token that it takes.
    """

    def __init__(
        self,
        function: Function,
        *,
        port: int = 0,
        identity: Mapping[str, Any] | None = None,
        refusal: Callable[[Request], Response | None] | None = None,
        authorizer: TokenAuthorizer | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._invocations = ThreadPoolExecutor(max_workers=256, thread_name_prefix="invocation")
        self._function = function
        self._identity = dict(identity or {})
        self._refusal = refusal
        self._authorizer = authorizer
        self._timeout_seconds = timeout_seconds
        self._busy_seconds = busy_seconds

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every connection. What was invoked goes on until the function is closed."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.drop_connections()
        self._invocations.shutdown(wait=False, cancel_futures=True)

    def respond(self, request: Request) -> Response:
        """The function's answer, or the gateway's own when there is none."""
        if self._refusal is not None and (answer := self._refusal(request)) is not None:
            return answer
        try:
            admitted = self._authorizer.admit(request) if self._authorizer else None
        except Refused as refused:
            return error_response(refused.status, refused.message)
        event = build_event(request, self._identity, admitted)
        invocation = self._invocations.submit(self._function.invoke, event, wait_seconds=self._busy_seconds)
        try:
            return parse_response(invocation.result(self._timeout_seconds))
        except TimeoutError:
            return TOO_SLOW
        except Throttled:
            return BUSY
        except (FunctionError, MalformedResponse):
            return error_response(HTTPStatus.BAD_GATEWAY, "Internal server error")


def error_response(status: HTTPStatus, message: str) -> Response:
    """What API Gateway says in its own name."""
    body = json.dumps({"message": message}).encode()
    return Response(status, (("Content-Type", "application/json"),), body)


def _unavailable(name: str, title: str, retry_after: int) -> Response:
    """As the template has API Gateway say it."""
    headers = (("Content-Type", "application/problem+json"), ("Retry-After", str(retry_after)))
    body = {"type": f"urn:bucketwise:problem:{name}", "title": title, "status": 503}
    return Response(HTTPStatus.SERVICE_UNAVAILABLE, headers, json.dumps(body).encode())


# API Gateway takes Lambda's 429 for a failure of the integration (INTEGRATION_FAILURE).
BUSY = _unavailable("too-busy", "Too much is being asked at once.", 1)
TOO_SLOW = _unavailable("too-slow", "There was no time left to answer.", 5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: Gateway) -> None:
        super().__init__(address, _Exchange)
        self.gateway = gateway
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to report; anything else shows its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the client has closed it meanwhile
                    connection.shutdown(socket.SHUT_RDWR)


class _Exchange(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "gateway"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    timeout = 60  # seconds that an idle connection is kept

    def _serve(self) -> None:
        response = self._refuse() or self._forward()
        self.send_response(response.status)
        for name, value in response.headers:
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, value)
        has_body = response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _forward(self) -> Response:
        headers = [*self.headers.items()]
        headers += [("X-Forwarded-For", self.client_address[0]), ("X-Forwarded-Proto", "http")]
        headers.append(("X-Forwarded-Port", str(self.server.server_port)))
        body = self.rfile.read(self._length())
        request = Request(self.command, self.path, headers, body, self.client_address[0])
        return self.server.gateway.respond(request)

    def _refuse(self) -> Response | None:
        """The answer to a request that must not be read as it stands; the connection ends with it."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return error_response(HTTPStatus.LENGTH_REQUIRED, "Length Required")
        if not self.headers.get("Content-Length", "0").isdecimal():
            self.close_connection = True
            return error_response(HTTPStatus.BAD_REQUEST, "Bad Request")
        if self._length() > BODY_LIMIT:
            self.close_connection = True
            self._discard()
            return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Too Long")
        return None

    def _length(self) -> int:
        return int(self.headers.get("Content-Length", "0"))

    def _discard(self) -> None:
        """Reads the body: with bytes unread, closing would reset the connection before the client sees why."""
        left = min(self._length(), _DISCARD_LIMIT)
        while left > 0 and (block := self.rfile.read(min(left, 1 << 20))):
            left -= len(block)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing: paths and queries are the caller's."""
