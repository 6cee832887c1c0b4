"""``POST /v1/embeddings``."""

import base64
from collections.abc import Mapping
from typing import Any

from local.model_server.embeddings import DIMENSIONS, EMBEDDING_MODEL, Embedder, Vectors, shorten
from local.model_server.wire import Reply, RequestRefused, require_model

MOST_INPUTS = 2048


def embed(body: Mapping[str, Any], embedder: Embedder) -> Reply:
    """Embed one string or up to 2048 strings, as floats or as base64 of little-endian float32."""
    require_model(body, EMBEDDING_MODEL)
    texts = _texts(body.get("input"))
    dimensions = _dimensions(body.get("dimensions"))
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise RequestRefused("encoding_format must be 'float' or 'base64'", param="encoding_format")
    embedded = embedder.embed(texts)
    vectors = embedded.vectors if dimensions == DIMENSIONS else shorten(embedded.vectors, dimensions)
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(_encoded(vectors, encoding))
    ]
    tokens = sum(embedded.tokens)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Reply({"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage})


def _encoded(vectors: Vectors, encoding: str) -> list[str] | list[list[float]]:
    if encoding == "base64":
        return [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors]
    floats: list[list[float]] = vectors.tolist()
    return floats


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise RequestRefused("'input' must be a string or a list of strings, not empty", param="input")
    if len(texts) > MOST_INPUTS:
        raise RequestRefused(f"'input' must hold at most {MOST_INPUTS} strings", param="input")
    strings = [text for text in texts if isinstance(text, str)]
    if len(strings) < len(texts):
        raise RequestRefused("'input' must hold strings; tokens are not accepted here", param="input")
    if "" in strings:
        raise RequestRefused("'input' cannot hold an empty string", param="input")
    return strings


def _dimensions(given: object) -> int:
    if given is None:
        return DIMENSIONS
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= DIMENSIONS:
        raise RequestRefused(f"'dimensions' must be 1 to {DIMENSIONS}", param="dimensions")
    return given
