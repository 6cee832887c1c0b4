"""Small JSON documents from the provider, by HTTPS alone, bounded in size and time."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from bucketwise.addresses import connect
from bucketwise.errors import BucketwiseError

# Providers' documents have some kilobytes; a hundred keys of 4096 bits have 80.
MOST_BYTES = 256 * 1024
# Of a document's whole body, and before of each wait for the server. API Gateway waits longer for the authorizer.
FETCH_SECONDS = 3.0


class KeysUnavailable(BucketwiseError):
    """The provider did not answer with keys: nobody can tell yet whether a token is good."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is redirected fails: nobody but the configuration says where keys are."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Connection(http.client.HTTPSConnection):
    """To a host whose addresses share the time for connecting."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._create_connection = connect


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


def fetch_json(url: str) -> dict[str, Any]:
    """The JSON object at ``url``. Raises KeysUnavailable."""
    if not url.startswith("https://"):
        raise KeysUnavailable("the provider names a place that is not reached by https")
    opener = urllib.request.build_opener(_NoRedirects, _Https)
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  # https, see above
    try:
        with opener.open(request, timeout=FETCH_SECONDS) as reply:
            document = json.loads(_body(reply))
    except urllib.error.HTTPError as error:
        error.close()
        raise KeysUnavailable(f"the provider answered {error.code}") from None
    # A URLError is an OSError, and a document that is no JSON or no UTF-8 a ValueError.
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise KeysUnavailable(f"the provider did not answer with JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise KeysUnavailable("the provider answered with something that is no JSON object")
    return document


def _body(reply: Any) -> bytes:
    """Read as it comes: a connection's time-out is one of each read, which a server may outlive by single bytes."""
    ends_at = time.monotonic() + FETCH_SECONDS
    body = b""
    while block := reply.read1(MOST_BYTES + 1 - len(body)):
        body += block
        if len(body) > MOST_BYTES:
            raise KeysUnavailable(f"the provider answered with more than {MOST_BYTES} bytes")
        if time.monotonic() > ends_at:
            raise KeysUnavailable("the provider's answer takes too long")
    return body
