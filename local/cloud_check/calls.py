"""Calls to a stack's API, each bounded in time, and waiting for what comes late."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from local.api import Reply
from local.cloud_check.callers import Caller

T = TypeVar("T")

CALL_SECONDS = 35.0  # a little more than API Gateway waits
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
MOST_BYTES = 1_000_000  # of a reply, or of what a link opens
# A database that wakes up, a model that is out, an index that is behind, too many requests.
PASSING = {409, 429, 500, 502, 503, 504}


class StepFailed(Exception):
    """What was seen in place of what should have been; nothing secret is in the text."""


class NotYet(Exception):
    """What was seen may be another in a moment."""


@dataclass(frozen=True, slots=True)
class SignedApi:
    """``url`` without a slash at its end."""

    url: str
    caller: Caller

    def as_caller(self, caller: Caller) -> "SignedApi":
        return replace(self, caller=caller)

    def get(self, path: str, **parameters: str) -> Reply:
        query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in parameters.items())
        return self._send("GET", f"{path}?{query}" if query else path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        return self._send("POST", path, json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes | None) -> Reply:
        """Any reply, whatever its status; its body is None if it is no JSON. Raises StepFailed without one."""
        url = self.url + path
        headers = self.caller.headers(method, url, body)
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310  # an output of the stack
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as reply:  # noqa: S310
                return Reply(reply.status, dict(reply.headers), _json(reply.read(MOST_BYTES)))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), _json(error.read(MOST_BYTES)))
        except OSError as error:
            raise StepFailed(f"no reply from the API ({type(error).__name__})") from None


def wait_for(look: Callable[[], T], *, seconds: float) -> T:
    """What ``look`` returns once it does not raise NotYet. Raises StepFailed when time is over."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return look()
        except NotYet as seen:
            if time.monotonic() + pause > deadline:
                raise StepFailed(f"after {seconds:g} s, {seen}") from None
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def body_of(reply: Reply) -> dict[str, Any]:
    """The body of a success. Raises NotYet for a failure that may pass, StepFailed for one that will not."""
    if reply.status == HTTPStatus.OK and isinstance(reply.body, dict):
        return reply.body
    if reply.status in PASSING and problem(reply) != "budget-exceeded":
        raise NotYet(said(reply))
    raise StepFailed(said(reply))


def problem(reply: Reply) -> str:
    """The last part of a problem's type."""
    kind = reply.body.get("type", "") if isinstance(reply.body, dict) else ""
    return str(kind).rpartition(":")[2]


def said(reply: Reply) -> str:
    """Status, and title and reason of a problem document, or what API Gateway says in its own name."""
    body = reply.body if isinstance(reply.body, dict) else {}
    told = [str(body[name]) for name in ("title", "message", "reason", "hint") if body.get(name)]
    return ": ".join([f"the API said {reply.status}", *told])


def opened(url: str) -> bytes:
    """What a link opens. Raises StepFailed."""
    if not url.startswith(("https://", "http://")):
        raise StepFailed("the citation's link is no web address")
    try:
        with urllib.request.urlopen(url, timeout=CALL_SECONDS) as reply:  # noqa: S310  # checked above
            content: bytes = reply.read(MOST_BYTES)
            return content
    except urllib.error.HTTPError as error:
        with error:
            raise StepFailed(f"the citation's link answers {error.code}") from None
    except OSError as error:
        raise StepFailed(f"the citation's link does not open ({type(error).__name__})") from None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
