"""``POST /v1/rerank``, as Cohere's API has it."""

from collections.abc import Mapping
from typing import Any

from local.model_server.embeddings import Embedder
from local.model_server.ranking import scores
from local.model_server.wire import Reply, RequestRefused, require_model

RERANK_MODEL = "wordllama-rerank"
MOST_DOCUMENTS = 1000


def rerank(body: Mapping[str, Any], embedder: Embedder) -> Reply:
    """Score up to 1000 documents against the query, and name the ``top_n`` best of them, best first."""
    require_model(body, RERANK_MODEL)
    query, documents = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not query:
        raise RequestRefused("'query' must be a string, not empty", param="query")
    if not isinstance(documents, list) or not documents or not all(isinstance(text, str) for text in documents):
        raise RequestRefused("'documents' must be a list of strings, not empty", param="documents")
    if len(documents) > MOST_DOCUMENTS:
        raise RequestRefused(f"'documents' must hold at most {MOST_DOCUMENTS} strings", param="documents")
    limit = body.get("top_n", len(documents))
    if not isinstance(limit, int) or limit < 1:
        raise RequestRefused("'top_n' must be 1 or more", param="top_n")
    scored = sorted(enumerate(scores(query, documents, embedder)), key=lambda pair: -pair[1])
    results = [{"index": index, "relevance_score": score} for index, score in scored[:limit]]
    tokens = sum(embedder.count_tokens(text) for text in (query, *documents))
    return Reply({"model": RERANK_MODEL, "results": results, "usage": {"total_tokens": tokens}})
