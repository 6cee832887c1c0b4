"""A digest of a query that a test can read."""

from ask.retrieval import Query
from bucketwise.index_kind import IndexKind


def fingerprint(query: Query, kind: IndexKind) -> bytes:
    return f"{query.question} {query.context} {query.filters} {query.limit} {kind}".encode()
