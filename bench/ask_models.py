"""``python -m bench.ask_models QUESTIONS``: OpenAI's embeddings and chat completions, each in a fixed time.

QUESTIONS is a file as bench.search keeps them: the vector of each is known, and nothing else is embedded. An answer
quotes the beginning of the first passage, in JSON, if a schema is sent; else it is the same text each time. What is
below ``/NAME/v1`` is the model of one client; ``GET /NAME/taken`` says how long that has worked since it was last
asked. The time of a call is from its first line to its reply. Until SIGTERM.
"""

import argparse
import json
import re
import signal
import sys
import threading
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import numpy as np
from numpy.typing import NDArray

from local import ROOT
from local.process import GuardedProcess

QUOTED_WORDS = 12
FIRST_PASSAGE = re.compile(r'<passage id="1"[^>]*>\n(.*?)\n</passage>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of a call."""

    embed_ms: float
    chat_ms: float


class ModelServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, vectors: Mapping[str, NDArray[np.float32]], latency: Latency) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self._vectors = vectors
        self._latency = latency
        self._taken: dict[str, float] = defaultdict(float)

    def note(self, client: str, milliseconds: float) -> None:
        self._taken[client] += milliseconds

    def taken(self, client: str) -> float:
        """Milliseconds since the last time."""
        return self._taken.pop(client, 0.0)

    def reply(self, route: str, asked: Mapping[str, Any]) -> tuple[Mapping[str, object], float]:
        """And the seconds that it takes. Raises KeyError for another route or a text that is not known."""
        if route == "/v1/embeddings":
            return self._embeddings(asked["input"]), self._latency.embed_ms / 1000
        if route == "/v1/chat/completions":
            return _completion(asked), self._latency.chat_ms / 1000
        raise KeyError(route)

    def _embeddings(self, given: str | list[str]) -> dict[str, object]:
        texts = [given] if isinstance(given, str) else given
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": b64encode(self._vectors[plain(text)].tobytes()).decode(),
            }
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 10 * len(texts), "total_tokens": 10 * len(texts)}
        return {"object": "list", "data": data, "model": "bench", "usage": usage}


def _completion(asked: Mapping[str, Any]) -> dict[str, object]:
    prompt = asked["messages"][-1]["content"]
    message = {"role": "assistant", "content": _quoting(prompt) if "response_format" in asked else "It says so [1]."}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 0,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1500, "completion_tokens": 50, "total_tokens": 1550},
    }


def _quoting(prompt: str) -> str:
    [passage] = FIRST_PASSAGE.findall(prompt)
    quote = " ".join(unescape(passage).split()[:QUOTED_WORDS])
    citations = [{"passage": 1, "quote": quote}]
    return json.dumps({"answerable": True, "answer": f"It says: {quote} [1].", "citations": citations, "reason": ""})


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body wait here, and go in one piece: on a kept connection, each call would wait 40 ms otherwise.
    wbufsize = 1 << 20
    disable_nagle_algorithm = True
    server: ModelServer

    def parse_request(self) -> bool:
        self._began = time.perf_counter()
        return super().parse_request()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        client, route = self._client_and_route()
        try:
            reply, seconds = self.server.reply(route, asked)
        except KeyError:
            self._write(400, {"error": {"message": "not prepared for this", "code": "bench"}})
            return
        self._write(200, json.dumps(reply).encode())
        time.sleep(max(0.0, seconds - (time.perf_counter() - self._began)))
        # Before it is sent: right after, the client may ask how long it took.
        self.server.note(client, (time.perf_counter() - self._began) * 1000)
        self.wfile.flush()

    def do_GET(self) -> None:
        client, _ = self._client_and_route()
        self._write(200, {"ms": self.server.taken(client)})

    def _client_and_route(self) -> tuple[str, str]:
        _, client, route = self.path.split("/", 2)
        return client, f"/{route}"

    def _write(self, status: int, reply: bytes | Mapping[str, object]) -> None:
        body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has it so
        """Log nothing."""


def plain(text: str) -> str:
    """As the server knows a text: clients differ in the white space that they leave in it."""
    return " ".join(text.split())


def read_vectors(questions: Path) -> dict[str, NDArray[np.float32]]:
    """Of each question of a file as bench.search keeps them."""
    kept: dict[str, NDArray[Any]] = dict(np.load(questions))
    vectors = kept["vectors"].astype("<f4")
    return {plain(text): vector for text, vector in zip(kept["texts"].tolist(), vectors, strict=True)}


def start_models(questions: Path, latency: Latency) -> GuardedProcess:
    """Its ``read_ready()`` says the ``url``, which lacks ``/NAME/v1``. Stop it, or leave its ``with`` block."""
    command = [sys.executable, "-m", "bench.ask_models", str(questions)]
    command += ["--embed-ms", str(latency.embed_ms), "--chat-ms", str(latency.chat_ms)]
    return GuardedProcess.start(command, env={}, cwd=ROOT)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ask_models", description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--embed-ms", type=float, default=0.0)
    parser.add_argument("--chat-ms", type=float, default=0.0)
    options = parser.parse_args(arguments)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with ModelServer(read_vectors(options.questions), Latency(options.embed_ms, options.chat_ms)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
        stopping.wait()
        server.shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
