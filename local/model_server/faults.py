"""Faults on demand, so that a client's defences can be tested against a real server."""

import base64
import math
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from local.model_server.wire import JsonObject, Reply, RequestRefused, error_reply

_PAGE = "<!doctype html><title>Welcome</title><p>Please sign in to this network."  # with status 200, too

Kind = Literal[
    "status", "hang", "cut", "garbage", "empty", "count", "order", "indexes", "nan", "zero", "size", "length", "unknown"
]
Route = Literal["embeddings", "chat", "rerank"]

_ROUTES_OF: dict[str, tuple[Route, ...]] = {
    **dict.fromkeys(("count", "order", "indexes", "nan"), ("embeddings", "rerank")),
    **dict.fromkeys(("zero", "size"), ("embeddings",)),
    "length": ("chat",),
    "unknown": ("rerank",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next calls of the routes.

    ``status`` answers an error (with ``Retry-After``), ``hang`` waits ``seconds`` first, ``cut`` closes the
    connection in the middle of the body, ``garbage`` answers a page of HTML, and ``empty`` an object without anything
    in it. Embeddings are spoiled by ``count`` (one too few), ``order`` (in reverse), ``indexes`` (all the same), and in
    the numbers of the first by ``nan``, ``zero`` and ``size`` (one too few). Results of a rerank are spoiled by the
    same but the last two, and by ``unknown``, which gives the first an index that there is not. ``length`` ends a
    completion in the middle with that finish reason.
    """

    kind: Kind
    routes: tuple[Route, ...]
    status: int = 500
    retry_after: float | None = None
    code: str | None = None
    seconds: float = 5.0


class Faults:
    """Faults that wait for the calls they spoil, in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, body: Mapping[str, Any]) -> None:
        """Add a fault for the next ``times`` calls. Raises RequestRefused for one that is no fault."""
        fault, times = read_fault(body), body.get("times", 1)
        if not isinstance(times, int) or times < 1:
            raise RequestRefused("'times' must be 1 or more", param="times")
        with self._lock:
            self._waiting.extend([fault] * times)

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._lock:
            self._waiting.clear()

    def take(self, route: Route) -> Fault | None:
        """Remove and return the next fault of a route."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if route in fault.routes:
                    return self._waiting.pop(place)
        return None


def read_fault(body: Mapping[str, Any]) -> Fault:
    """Read ``{"kind": ..., "route": "embeddings" | "chat" | "rerank", ...}``; without a kind it is a status."""
    kind, routes = body.get("kind", "status"), get_args(Route)
    if kind not in get_args(Kind):
        raise RequestRefused(f"'kind' must be one of {', '.join(get_args(Kind))}", param="kind")
    possible = _ROUTES_OF.get(kind, routes)
    chosen = tuple(route for route in possible if body.get("route", route) == route)
    if not chosen:
        raise RequestRefused(f"'route' of {kind} must be one of {', '.join(possible)}", param="route")
    given = {name: body[name] for name in ("status", "retry_after", "code", "seconds") if name in body}
    for name, value in given.items():
        if not isinstance(value, str if name == "code" else int | float) or isinstance(value, bool):
            raise RequestRefused(f"'{name}' has the wrong type", param=name)
    return Fault(kind, chosen, **given)


def refusal(fault: Fault) -> Reply:
    """The error reply of a ``status`` fault."""
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return error_reply("A fault on demand.", status=fault.status, code=fault.code, headers=headers)


def spoil(fault: Fault, reply: Reply) -> Reply:
    """The reply as the fault leaves it; kinds that act elsewhere leave it as it is."""
    if fault.kind == "cut":
        return replace(reply, cut=True)
    if reply.status != 200:
        return reply
    if fault.kind == "garbage":
        return Reply({}, page=_PAGE)
    if fault.kind == "empty":
        return Reply({})
    if fault.kind not in _SPOILED:
        return reply
    name = "results" if "results" in reply.body else "data"
    return replace(reply, body={**reply.body, name: _SPOILED[fault.kind](list(reply.body[name]))})


def _with_numbers(change: Callable[[list[float]], list[float]]) -> Callable[[list[JsonObject]], list[JsonObject]]:
    """Changes the numbers of the first embedding, in whichever encoding it is, or the first result's score."""

    def spoiled(data: list[JsonObject]) -> list[JsonObject]:
        if "relevance_score" in data[0]:
            return [{**data[0], "relevance_score": change([data[0]["relevance_score"]])[0]}, *data[1:]]
        embedding = data[0]["embedding"]
        if isinstance(embedding, list):
            return [{**data[0], "embedding": change(embedding)}, *data[1:]]
        raw = base64.b64decode(embedding)
        numbers = change(list(struct.unpack(f"<{len(raw) // 4}f", raw)))
        encoded = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
        return [{**data[0], "embedding": encoded}, *data[1:]]

    return spoiled


_SPOILED: dict[str, Callable[[list[JsonObject]], list[JsonObject]]] = {
    "count": lambda data: data[:-1],
    "order": lambda data: data[::-1],
    "indexes": lambda data: [{**item, "index": 0} for item in data],
    "unknown": lambda data: [{**data[0], "index": len(data)}, *data[1:]],
    "nan": _with_numbers(lambda numbers: [math.nan] * len(numbers)),
    "zero": _with_numbers(lambda numbers: [0.0] * len(numbers)),
    "size": _with_numbers(lambda numbers: numbers[:-1]),
}
