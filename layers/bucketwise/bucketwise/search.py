"""Hybrid search as a function call: one round trip, ranked in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgvector import HalfVector
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bucketwise.models import Place, PlaceMark

# Up to this many chunks are compared one by one, which is exact, before the HNSW index is asked.
EXACT_BELOW = 10_000


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """``vector`` is None when the question could not be embedded: the keyword leg searches alone.

    ``filters`` is one JSON value with any of prefix, key, content_type, modified_from, modified_before
    (ISO 8601) and metadata (an object that the document's metadata must contain).
    """

    tenant: str
    text: str
    vector: list[float] | None
    filters: dict[str, Any]
    limit: int
    depth: int
    keyword_weight: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found. Ranks count from 1; a leg that did not find it has None."""

    key: str
    ordinal: int
    text: str
    tokens: int
    start: int
    marks: tuple[PlaceMark, ...]
    version: str | None
    title: str | None
    content_type: str | None
    last_modified: datetime | None
    metadata: dict[str, str]
    score: float
    vector_rank: int | None
    cosine: float | None
    keyword_rank: int | None
    keyword_score: float | None
    coverage: float

    def place_at(self, offset: int) -> Place:
        """Where the character at ``offset`` of the document's text stands."""
        place = Place()
        for mark in self.marks:
            if mark.start > offset:
                break
            place = mark.place
        return place


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``corpus_version`` and ``passages`` (best first) were read from one snapshot."""

    corpus_version: int
    passages: list[Passage]


def search(connection: Connection, query: SearchQuery) -> SearchResult:
    """At most ``query.limit`` passages, fewer only if fewer were found."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """SELECT current_version, found.*
               FROM bucketwise.corpus_version(%(tenant)s) AS current_version
               LEFT JOIN LATERAL bucketwise.search(
                   %(tenant)s, %(text)s, %(vector)s::halfvec, %(filters)s,
                   %(limit)s, %(depth)s, %(keyword_weight)s, %(exact_below)s) AS found ON true""",
            {
                "tenant": query.tenant,
                "text": query.text,
                "vector": HalfVector(query.vector) if query.vector is not None else None,
                "filters": Jsonb(query.filters),
                "limit": query.limit,
                "depth": query.depth,
                "keyword_weight": query.keyword_weight,
                "exact_below": EXACT_BELOW,
            },
        ).fetchall()
    return SearchResult(
        corpus_version=rows[0]["current_version"],
        passages=[_passage(row) for row in rows if row["key"] is not None],
    )


def marks_to_json(marks: tuple[PlaceMark, ...]) -> list[dict[str, Any]]:
    """As the column ``chunks.marks`` holds them; empty parts of a place are left out."""
    return [
        {"start": mark.start}
        | ({"page": mark.place.page} if mark.place.page is not None else {})
        | ({"heading": list(mark.place.heading)} if mark.place.heading else {})
        for mark in marks
    ]


def marks_from_json(value: list[dict[str, Any]]) -> tuple[PlaceMark, ...]:
    return tuple(
        PlaceMark(item["start"], Place(page=item.get("page"), heading=tuple(item.get("heading", ())))) for item in value
    )


def _passage(row: dict[str, Any]) -> Passage:
    return Passage(
        key=row["key"],
        ordinal=row["ordinal"],
        text=row["text"],
        tokens=row["tokens"],
        start=row["start_offset"],
        marks=marks_from_json(row["marks"]),
        version=row["version"],
        title=row["title"],
        content_type=row["content_type"],
        last_modified=row["last_modified"],
        metadata=row["metadata"],
        score=row["score"],
        vector_rank=row["vector_rank"],
        cosine=row["cosine"],
        keyword_rank=row["keyword_rank"],
        keyword_score=row["keyword_score"],
        coverage=row["coverage"],
    )
