"""``python -m local.model_server --port 0``: serve until SIGTERM or SIGINT."""

import argparse
import json
import signal
import threading
from collections.abc import Sequence

from local.model_server.api import ModelApi
from local.model_server.embeddings import Embedder
from local.model_server.faults import Faults
from local.model_server.server import ModelServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Print ``{"url": ...}`` as one line once the server listens; return 0 after a signal to stop."""
    options = _options(arguments)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    api = ModelApi(
        Embedder(),
        pause=stopping.wait,
        latency=options.latency_ms / 1000,
        faults=Faults() if options.faults else None,
    )
    with ModelServer((options.host, options.port), api) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        print(json.dumps({"url": server.url}), flush=True)
        stopping.wait()
        server.shutdown()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.model_server", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to each model call")
    parser.add_argument("--faults", action="store_true", help="serve POST and DELETE /faults, for tests")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
