"""HTTP/1.1 around the model API, on the standard library's threading server."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.model_server.api import ModelApi
from local.model_server.wire import JsonObject, Reply, error_reply


class ModelServer(ThreadingHTTPServer):
    """Serves one API; a thread for each connection, none of which delays the end of the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: ModelApi) -> None:
        super().__init__(address, _Exchange)
        self.api = api

    @property
    def url(self) -> str:
        """The base URL for an OpenAI client."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; that is how a client's time-out looks from here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment, and no segment waits for the acknowledgement of another:
    # otherwise each call on a kept connection stalls for 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ModelServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it so
        """Log nothing: prompts are private and stdout is for the address."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self._send(error_reply("The request needs a Content-Length.", status=411))
            return
        raw = self.rfile.read(int(length))
        self._send(self.server.api.handle(self.command, self.path, raw))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.cut:
            self.close_connection = True
        if reply.events:
            self._send_events(reply)
        else:
            self._send_body(reply)

    def _send_body(self, reply: Reply) -> None:
        body = (json.dumps(reply.body, ensure_ascii=False) if reply.page is None else reply.page).encode()
        self.send_header("Content-Type", "application/json" if reply.page is None else "text/html")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection and not reply.cut:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if reply.cut else body)

    def _send_events(self, reply: Reply) -> None:
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        shown = reply.events[: len(reply.events) // 2] if reply.cut else reply.events
        for event in shown:
            self._send_chunk(_event(event))
        if not reply.cut:
            self._send_chunk(b"data: [DONE]\n\n")
            self._send_chunk(b"")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _event(event: JsonObject) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
