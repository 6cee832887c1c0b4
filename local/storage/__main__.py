"""``python -m local.storage --port 0 --state FILE|none``: S3 and SQS on one URL of 127.0.0.1.

Prints ``{"url": ...}`` when it listens. SIGTERM and SIGINT save the state and end it.
"""

import argparse
import json
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local.storage import listings, queues, snapshot
from local.storage.notifications import NotifyingStorage


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True  # else a reply in two writes waits 40 ms for the client's ACK

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line a request would bury what matters."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.storage")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--state", default="none", help='file that keeps everything, or "none"')
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    listings.install()
    queues.install()
    moto = DomainDispatcherApplication(create_backend_app)
    if options.state == "none":
        _serve(NotifyingStorage(moto, {}, on_change=_keep_nothing), options.port, stop)
        return
    try:
        with snapshot.sole_use(Path(options.state)):
            _serve_with_state(moto, Path(options.state), options.port, stop)
    except snapshot.StateInUse as error:
        sys.exit(str(error))


def _serve_with_state(moto: DomainDispatcherApplication, state: Path, port: int, stop: threading.Event) -> None:
    targets = snapshot.load(state)
    saver = snapshot.Saver(partial(snapshot.save, state, targets))
    saver.start()
    try:
        _serve(NotifyingStorage(moto, targets, on_change=saver.changed), port, stop)
    finally:
        saver.close()


def _serve(storage: NotifyingStorage, port: int, stop: threading.Event) -> None:
    server = make_server("127.0.0.1", port, storage, threaded=True, request_handler=_QuietHandler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    stop.wait()
    server.shutdown()


def _keep_nothing() -> None:
    return


if __name__ == "__main__":
    main()
