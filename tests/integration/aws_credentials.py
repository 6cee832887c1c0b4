"""A role's credentials as Lambda hands them out over HTTP, which change every time they are asked for."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def rotating_credentials() -> Iterator[str]:
    """The URL for AWS_CONTAINER_CREDENTIALS_FULL_URI. All are about to expire, so that nobody keeps them."""
    asked = iter(range(1, 1000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            expires = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
            body = {"AccessKeyId": f"AKID{next(asked)}", "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the parent's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/credentials"
        server.shutdown()
