"""Calls to Bucketwise's HTTP API, as a client would make them."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 35.0  # a little more than API Gateway waits

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Api:
    """``url`` without a slash at its end. ``token`` goes along as a bearer's."""

    url: str
    token: str = ""

    def get(self, path: str, **parameters: str) -> Reply:
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return self.send("GET", path + query)

    def post(self, path: str, body: object) -> Reply:
        return self.send("POST", path, json.dumps(body).encode(), content_type="application/json")

    def send(self, method: str, path: str, body: bytes | None = None, *, content_type: str | None = None) -> Reply:
        """Any reply with a JSON body is returned, whatever its status."""
        headers = {"content-type": content_type} if content_type else {}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310  # http only
        try:
            with _direct.open(request, timeout=TIMEOUT_SECONDS) as reply:
                return Reply(reply.status, dict(reply.headers), json.loads(reply.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), json.loads(error.read()))
