"""Hybrid search as a function call: one round trip, ranked in the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgvector import HalfVector
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from bucketwise.errors import IndexChanged
from bucketwise.index_kind import IndexKind
from bucketwise.keyword_terms import QuestionTerm, question_terms
from bucketwise.marks import marks_from_json
from bucketwise.models import Place, PlaceMark

# Up to this many chunks are compared one by one, which is exact, before the HNSW index is asked; and up to a fifth of
# it are scored by their own terms, before posting lists are read.
EXACT_BELOW = 10_000
# Of a question's rarer words that candidates are taken from.
MOST_POSTINGS = 30_000
# BM25's constants, unless they are set: how soon further occurrences of a term count little, and how much long chunks
# are held back. Those that Anserini takes as defaults for passages.
K1 = 0.9
B = 0.4

OF_ALL = 6  # columns that are the same in each row of a search


@dataclass(frozen=True, slots=True)
class Floor:
    """Which of the best ``candidates`` passages are found: those with a cosine or a coverage as high as that."""

    candidates: int
    min_cosine: float
    min_coverage: float


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """``vector`` is None when the question could not be embedded: the keyword leg searches alone.

    ``filters`` is one JSON value with any of prefix, key, content_type, modified_from, modified_before
    (ISO 8601) and condition (an SQL/JSON path, see 0009_filters.sql). ``held_key`` names an
    object whose version in the index is to be told with the result. ``kind`` is what the vector was made with.
    ``languages`` are those (ISO 639-1) that the tenant's documents were in when it was searched last; None: not known.
    ``floor``: None finds all. ``exact_below`` is EXACT_BELOW unless given. ``keyword_normalisation`` is "max" or
    "min_max", see 0014_fusion.sql.
    """

    tenant: str
    text: str
    vector: list[float] | None
    filters: dict[str, Any]
    limit: int
    depth: int
    keyword_weight: float
    floor: Floor | None = None
    held_key: str | None = None
    kind: IndexKind | None = None
    languages: frozenset[str] | None = None
    exact_below: int | None = None
    k1: float = K1
    b: float = B
    keyword_normalisation: str = "max"


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """The version of an object that is indexed; or that cannot be, and then ``reason`` says why."""

    version: str
    reason: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found. Ranks count from 1; a leg that did not find it has None.

    ``rerank_rank`` and ``rerank_score`` are set by a reranker that saw it; one may rank without scores.
    """

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
    metadata: dict[str, Any]
    score: float
    vector_rank: int | None
    cosine: float | None
    keyword_rank: int | None
    keyword_score: float | None
    coverage: float
    rerank_rank: int | None = None
    rerank_score: float | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Which chunk it is: the document's key and the chunk's ordinal."""
        return self.key, self.ordinal

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
    """All was read from one snapshot. ``passages``: best first. ``languages``: of the tenant's documents, by ISO 639-1.

    ``held`` is None if no object was named, and if its version has no id: it is unknown, was deleted, or its bucket
    keeps no versions.
    """

    corpus_version: int
    passages: list[Passage]
    held: HeldVersion | None = None
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeywordLeg:
    """What the keyword leg found of ``query``, which may still lack its vector; ``asked`` are its terms.

    ``found`` is the database's own, and is given back to it as it is; None if it was not asked.
    """

    query: SearchQuery
    asked: Sequence[QuestionTerm]
    found: str | None = None


def keyword_leg(connection: Connection, query: SearchQuery) -> KeywordLeg:
    """Half of a search, for while the question is embedded. Not for a query with filters.

    The keys of all documents that match them would go to and fro.
    """
    asked = _terms(query)
    with connection.cursor(row_factory=tuple_row) as cursor:
        [(found,)] = cursor.execute(
            """SELECT bucketwise.keyword_leg(
                   %(tenant)s, %(words)s::int[], %(languages)s::text[], %(terms)s::bigint[], %(filters)s, %(depth)s,
                   %(exact_below)s, %(most_postings)s, %(k1)s, %(b)s)::text""",
            _names(query, asked),
        ).fetchall()
    return KeywordLeg(query, asked, found)


def search(connection: Connection, query: SearchQuery, ahead: KeywordLeg | None = None) -> SearchResult:
    """At most ``query.limit`` passages, fewer only if fewer were found and passed ``query.floor``.

    ``ahead`` is of the same query, but for its vector; it is no more than a saving, whatever has changed since.
    Raises IndexChanged if ``query.kind`` is not the live kind of vectors.
    """
    result = _search(connection, query, ahead or KeywordLeg(query, _terms(query)))
    if query.languages is None or result.languages <= query.languages:
        return result
    # A document in another language has come since.
    return _search(connection, query, KeywordLeg(query, question_terms(query.text)))


def _terms(query: SearchQuery) -> Sequence[QuestionTerm]:
    return question_terms(query.text) if query.languages is None else question_terms(query.text, query.languages)


def _search(connection: Connection, query: SearchQuery, ahead: KeywordLeg) -> SearchResult:
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(
            """SELECT current_version, spoken, live.is_live, held.*, found.*
               FROM bucketwise.corpus_version(%(tenant)s) AS current_version
               CROSS JOIN bucketwise.spoken_languages(%(tenant)s) AS spoken
               CROSS JOIN LATERAL (
                   SELECT %(model)s::text IS NULL OR EXISTS (
                       SELECT FROM bucketwise.index_kind()
                       WHERE embedding_model = %(model)s AND dimensions = %(dimensions)s) AS is_live) AS live
               LEFT JOIN LATERAL bucketwise.held_version(%(tenant)s, %(held_key)s) AS held ON true
               LEFT JOIN LATERAL bucketwise.search_relevant(
                   %(tenant)s, %(words)s::int[], %(languages)s::text[], %(terms)s::bigint[],
                   CASE WHEN live.is_live THEN %(vector)s::halfvec END, %(filters)s, %(limit)s,
                   %(candidates)s, %(min_cosine)s, %(min_coverage)s, %(depth)s, %(keyword_weight)s, %(exact_below)s,
                   %(most_postings)s, %(k1)s, %(b)s, %(keyword_normalisation)s,
                   %(ahead)s::bucketwise.keyword_findings) AS found ON true""",
            _names(query, ahead.asked) | {"ahead": ahead.found},
        ).fetchall()
    version, spoken, is_live, held_version, held_reason, held_hint = rows[0][:OF_ALL]
    if not is_live:
        raise IndexChanged("vectors of another model went live since the question was embedded")
    return SearchResult(
        corpus_version=version,
        passages=[_passage(found) for row in rows if (found := row[OF_ALL:])[0] is not None],
        held=HeldVersion(held_version, held_reason, held_hint) if held_version is not None else None,
        languages=frozenset(spoken),
    )


def _names(query: SearchQuery, asked: Sequence[QuestionTerm]) -> dict[str, Any]:
    return {
        "tenant": query.tenant,
        "words": _array(one.word for one in asked),
        "languages": _array(f'"{one.language}"' for one in asked),
        "terms": _array(one.term for one in asked),
        "vector": HalfVector(query.vector) if query.vector is not None else None,
        "filters": Jsonb(query.filters),
        "limit": query.limit,
        "candidates": query.floor.candidates if query.floor else query.limit,
        "min_cosine": query.floor.min_cosine if query.floor else None,
        "min_coverage": query.floor.min_coverage if query.floor else None,
        "depth": query.depth,
        "keyword_weight": query.keyword_weight,
        "exact_below": EXACT_BELOW if query.exact_below is None else query.exact_below,
        "most_postings": MOST_POSTINGS,
        "k1": query.k1,
        "b": query.b,
        "keyword_normalisation": query.keyword_normalisation,
        "held_key": query.held_key,
        "model": query.kind.embedding_model if query.kind else None,
        "dimensions": query.kind.dimensions if query.kind else None,
    }


def _array(items: Iterable[object]) -> str:
    """A PostgreSQL array as text, of items that need no escape. A list of some hundred took psycopg a millisecond."""
    return f"{{{','.join(map(str, items))}}}"


def _passage(found: Sequence[Any]) -> Passage:
    """Of the columns of search_relevant, which are the fields of Passage in their order."""
    key, ordinal, text, tokens, start, marks, *others = found
    return Passage(key, ordinal, text, tokens, start, marks_from_json(marks), *others)
