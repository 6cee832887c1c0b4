"""A digest of everything that shapes an answer: where it is the same, so is the question."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bucketwise.index_kind import IndexKind
from bucketwise.settings import Settings

FORM = 3
"""To be raised whenever answers are made, or kept, in another way: a new version of the code then finds none."""

SHAPING = (
    "openai_base_url",
    "answer_model",
    "answer_tokens",
    "answer_format",
    "search_depth",
    "keyword_weight",
    "keyword_normalisation",
    "bm25_k1",
    "bm25_b",
    "min_cosine",
    "min_coverage",
    "min_document_fit",
    "rerank",
    "rerank_url",
    "rerank_model",
    "rerank_candidates",
    "near_duplicate_share",
    "max_per_document",
    "neighbours",
    "max_context_tokens",
)
"""The settings that an answer depends on, beside what is stored."""

# Of a setting that belongs to neither, nobody has said whether answers depend on it: a test finds it.
NOT_SHAPING = (
    # Where things are. An answer is found by its tenant before all else.
    "database_url", "database_host", "database_port", "database_name", "database_user", "database_auth",
    "database_secret", "database_ca", "bucket", "prefix", "queue_url", "tenant", "tenant_folders", "callers",
    "openai_api_key", "openai_api_key_secret", "rerank_api_key", "rerank_api_key_secret",
    # The kind of vectors that is live decides, whatever these say.
    "embedding_model", "embedding_dimensions", "vector_index",
    # What is stored depends on these, and with it the corpus version.
    "embedding_batch_tokens", "embedding_concurrency", "chunk_tokens", "chunk_overlap_tokens", "language",
    "max_document_bytes", "max_document_tokens", "tag_objects",
    # What a request does not say, and the fingerprint does.
    "top_k",
    # Links are signed anew, and an age is no part of an answer.
    "link_seconds", "answer_cache_seconds",
    # The question is what it is after it was rewritten.
    "rewrite_model",
    # Whether there is an answer, and not which.
    "budget_caller_tokens", "budget_caller_usd", "budget_tenant_tokens", "budget_tenant_usd",
)  # fmt: skip


def answer_fingerprint(
    *,
    question: str,
    context: str = "",
    filters: Mapping[str, Any],
    top_k: int,
    settings: Settings,
    prompt_version: str,
    kind: IndexKind,
) -> bytes:
    """SHA-256 of it all, 32 bytes.

    ``question`` is the one that is searched for and that the model is asked, after any rewriting, to the letter.
    ``context`` is what else the model is told besides passages. ``filters`` are those of the index,
    ``Filters.for_index()``; ``kind`` is that of the live vectors. ``prompt_version`` names all prompts that may
    be used.
    """
    shape = {
        "form": FORM,
        "question": question,
        "context": context,
        "filters": filters,
        "top_k": top_k,
        "settings": {name: getattr(settings, name) for name in SHAPING},
        "prompt_version": prompt_version,
        "kind": [kind.embedding_model, kind.dimensions],
    }
    return sha256(json.dumps(shape, sort_keys=True, allow_nan=False).encode()).digest()
