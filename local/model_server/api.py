"""Requests to replies: the routes, the faults and the latency, without a socket."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from local.model_server.chat_route import CHAT_MODEL, chat
from local.model_server.embed_route import embed
from local.model_server.embeddings import EMBEDDING_MODEL, Embedder
from local.model_server.faults import Faults, Route, refusal, spoil
from local.model_server.rerank_route import RERANK_MODEL, rerank
from local.model_server.wire import JsonObject, Reply, RequestRefused, error_reply

_MODEL_ROUTES: dict[str, Route] = {
    "/v1/embeddings": "embeddings",
    "/v1/chat/completions": "chat",
    "/v1/rerank": "rerank",
}


@dataclass(frozen=True, slots=True)
class ModelApi:
    """OpenAI's routes, and Cohere's for reranking, over one embedder.

    ``latency`` seconds pass before each reply of a model; ``pause`` waits, and may return early when
    the server stops. Without ``faults`` there is no ``/faults`` route.
    """

    embedder: Embedder
    pause: Callable[[float], object]
    latency: float = 0.0
    faults: Faults | None = None

    def handle(self, method: str, path: str, raw: bytes) -> Reply:
        """Answer one request. Every mistake of the caller's is a reply in OpenAI's error shape."""
        try:
            return self._routed(method, path.partition("?")[0].rstrip("/"), raw)
        except RequestRefused as refused:
            return refused.reply

    def _routed(self, method: str, path: str, raw: bytes) -> Reply:
        if method == "POST" and path in _MODEL_ROUTES:
            return self._model_call(_MODEL_ROUTES[path], raw)
        if method == "GET" and path == "/v1/models":
            return Reply(
                {"object": "list", "data": [_model(EMBEDDING_MODEL), _model(CHAT_MODEL), _model(RERANK_MODEL)]}
            )
        if self.faults is not None and path == "/faults" and method in ("POST", "DELETE"):
            if method == "POST":
                self.faults.add(_json_object(raw))
            else:
                self.faults.clear()
            return Reply({})
        return error_reply(f"Invalid URL ({method} {path})", status=404, code="unknown_url")

    def _model_call(self, route: Route, raw: bytes) -> Reply:
        fault = self.faults.take(route) if self.faults is not None else None
        if self.latency:
            self.pause(self.latency)
        if fault and fault.kind == "hang":
            self.pause(fault.seconds)
        if fault and fault.kind == "status":
            return refusal(fault)
        body = _json_object(raw)
        if route == "embeddings":
            reply = embed(body, self.embedder)
        elif route == "rerank":
            reply = rerank(body, self.embedder)
        else:
            reply = chat(body, self.embedder, cut_short=fault is not None and fault.kind == "length")
        return spoil(fault, reply) if fault else reply


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": 0, "owned_by": "local"}


def _json_object(raw: bytes) -> JsonObject:
    try:
        body = json.loads(raw)
        if b"\\ud" in raw.lower():
            json.dumps(body, ensure_ascii=False).encode()  # half a pair of surrogates is no text
    except ValueError as broken:  # broken UTF-8 is one, too
        raise RequestRefused("We could not parse the JSON body of your request.") from broken
    if not isinstance(body, dict):
        raise RequestRefused("The body of your request must be a JSON object.")
    return body
