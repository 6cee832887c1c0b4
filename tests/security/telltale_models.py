"""A model's server that passes requests on to another, or fails and repeats all it was sent while it does."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASS = "pass"
# What it answers instead: an error of a status, or with status 200 a page, an object of another form, or a chat reply.
MISDEEDS = ("400", "401", "403", "404", "422", "429", "500", "503", "page", "object", "reply", "cut")


@dataclass
class TelltaleModels:
    """``behind`` is the base URL of the server that answers; ``reply`` is what the chat model says in a misdeed."""

    behind: str
    reply: str
    does: str = PASS
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator["TelltaleModels"]:
        models = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, kind, said = models.answer(self.path, body, self.headers["authorization"])
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(said) + (models.does == "cut")))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the parent's name

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self.url = f"http://127.0.0.1:{server.server_port}/v1"
            try:
                yield self
            finally:
                server.shutdown()

    def answer(self, path: str, body: bytes, key: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        told = f"{key} sent {body.decode()}"
        if self.does == PASS:
            return self._pass_on(path, body)
        if self.does == "page":
            return 200, "text/html", f"<p>{told}</p>".encode()
        if self.does == "reply" and path.endswith("/chat/completions"):
            message = {"role": "assistant", "content": f"{self.reply} {{not JSON {told}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            completion = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            return 200, "application/json", json.dumps(completion).encode()
        if self.does in {"object", "reply", "cut"}:
            return 200, "application/json", json.dumps({"data": told, "choices": told, told: told}).encode()
        error = {"message": told, "type": told, "code": told, "param": told}
        return int(self.does), "application/json", json.dumps({"error": error}).encode()

    def _pass_on(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        headers: dict[str, Any] = {"content-type": "application/json"}
        request = urllib.request.Request(self.behind + path.removeprefix("/v1"), body, headers)  # noqa: S310
        with urllib.request.urlopen(request) as reply:  # noqa: S310  # of this machine
            return reply.status, reply.headers["content-type"], reply.read()
