"""``python -m bench.ingest_models``: an embeddings endpoint that costs next to nothing, so that ingest is measured.

The vector of a text follows from its digest: near one of a thousand centres, of length 1. Until SIGTERM.
"""

import argparse
import json
import signal
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from numpy.typing import NDArray

from local import ROOT
from local.process import GuardedProcess

CENTRES = 1024
DEVIATIONS = 1 << 16
CHARACTERS_PER_TOKEN = 4


class Vectors:
    """Sums of a centre and of a stretch of one long row of random numbers: quick to make, and hardly two alike."""

    def __init__(self, dimensions: int) -> None:
        numbers = np.random.default_rng(1)
        self._dimensions = dimensions
        self._centres = numbers.normal(size=(CENTRES, dimensions)).astype("<f4")
        self._deviations = numbers.normal(size=DEVIATIONS + dimensions).astype("<f4")

    def of(self, text: str) -> NDArray[np.float32]:
        digest = sha256(text.encode()).digest()
        start = int.from_bytes(digest[:4]) % DEVIATIONS
        centre = self._centres[int.from_bytes(digest[4:8]) % CENTRES]
        vector = centre + self._deviations[start : start + self._dimensions]
        unit: NDArray[np.float32] = vector / np.sqrt(vector @ vector)
        return unit


class EmbeddingServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.latency = latency
        self._vectors = lru_cache(Vectors)

    def reply(self, texts: list[str], dimensions: int) -> bytes:
        vectors = self._vectors(dimensions)
        data = [
            {"object": "embedding", "index": index, "embedding": b64encode(vectors.of(text).tobytes()).decode()}
            for index, text in enumerate(texts)
        ]
        tokens = sum(map(len, texts)) // CHARACTERS_PER_TOKEN
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return json.dumps({"object": "list", "data": data, "model": "bench", "usage": usage}).encode()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: on a kept connection, each call would wait 40 ms otherwise.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: EmbeddingServer

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.server.latency)
        body = self.server.reply(asked["input"], asked["dimensions"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has it so
        """Log nothing."""


def start_models(latency_ms: float) -> GuardedProcess:
    """Its ``read_ready()`` says the ``url``. Stop it, or leave its ``with`` block."""
    command = [sys.executable, "-m", "bench.ingest_models", "--latency-ms", str(latency_ms)]
    return GuardedProcess.start(command, env={}, cwd=ROOT)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest_models", description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to each request")
    options = parser.parse_args(arguments)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with EmbeddingServer(options.latency_ms / 1000) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}/v1"}), flush=True)
        stopping.wait()
        server.shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
