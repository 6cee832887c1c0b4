"""Asks for random tenants, and tells whether what came back is the asking tenant's own, and all of it."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any, LiteralString

import numpy as np
from pgvector import HalfVector
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ask.documents import PAGE, Documents
from ask.neighbours import NeighbourTable, Window
from bench.isolation_questions import Question, Questions
from bench.isolation_tenants import CHUNKS_OF_A_DOCUMENT, Tenant
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import UnknownDocument
from bucketwise.keyword_terms import question_terms
from bucketwise.search import EXACT_BELOW, K1, MOST_POSTINGS, B, search

BATCH = 200  # probes in a round trip
COSINE_TOLERANCE = 0.005  # of vectors in half precision
MOST_EXAMPLES = 5
STEP_SECONDS = 600.0

# As bucketwise.search asks, for many questions at once. Of each batch one is also asked by bucketwise.search itself,
# and must get the same.
STATEMENT: LiteralString = """
    SELECT probe.number, current_version, held_version, held_hint, found.key, found.ordinal, found.text, found.version,
        found.title, found.metadata, found.cosine, found.score
    FROM jsonb_to_recordset(%s) AS probe (
        number int, tenant text, words int[], languages text[], terms bigint[], vector halfvec, filters jsonb,
        most int, depth int, keyword_weight double precision, held_key text, exact_below int)
    CROSS JOIN LATERAL bucketwise.corpus_version(probe.tenant) AS current_version
    LEFT JOIN LATERAL bucketwise.held_version(probe.tenant, probe.held_key) AS held ON true
    LEFT JOIN LATERAL bucketwise.search_relevant(
        probe.tenant, probe.words, probe.languages, probe.terms, probe.vector, probe.filters, probe.most, probe.most,
        NULL, NULL, probe.depth, probe.keyword_weight, probe.exact_below, %s, %s, %s, 'max', NULL) AS found ON true
    ORDER BY probe.number, found.score DESC, found.key, found.ordinal"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """``leaks``: rows that are not as the asking tenant stored them. ``wrong_counts``: answers of too few or many."""

    probes: int = 0
    leaks: int = 0
    wrong_counts: int = 0
    rows: int = 0
    listings: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(
            self.probes + other.probes,
            self.leaks + other.leaks,
            self.wrong_counts + other.wrong_counts,
            self.rows + other.rows,
            self.listings + other.listings,
            self.kinds + other.kinds,
            (self.examples + other.examples)[:MOST_EXAMPLES],
        )


@dataclass(frozen=True)
class Prober:
    """``versions`` are the tenants' corpus versions. All tenants are asked over one connection, in turn."""

    tenants: Sequence[Tenant]
    versions: dict[str, int]
    connection: BoundedConnection

    @cached_property
    def _questions(self) -> Questions:
        return Questions(self.tenants)

    def run(self, probes: int, *, seed: str) -> Findings:
        chance = random.Random(seed)
        found = Findings()
        for start in range(0, probes, BATCH):
            questions = [self._questions.draw(chance) for _ in range(min(BATCH, probes - start))]
            answers = self._ask(questions)
            for question, rows in zip(questions, answers, strict=True):
                found += self._judge(question, rows)
            found += self._ask_as_the_function_does(questions[0], answers[0])
            found += self._list(chance)
            found += self._read_around(chance)
        return found

    def _ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """At least one row for each question; where nothing was found, one without a key."""
        probes = [_probe(number, question) for number, question in enumerate(questions)]
        answers: list[list[Row]] = [[] for _ in questions]
        with self.connection.cursor(row_factory=dict_row) as cursor:
            for row in cursor.execute(STATEMENT, (Jsonb(probes), MOST_POSTINGS, K1, B)):
                answers[row["number"]].append(row)
        return answers

    def _judge(self, question: Question, rows: list[Row]) -> Findings:
        found = [row for row in rows if row["key"] is not None]
        leaks = sum(not _is_own(question, row) for row in found) + (not self._tells_own(question, rows[0]))
        wrong = len(found) != question.rows or len({(row["key"], row["ordinal"]) for row in found}) != len(found)
        index = question.query.exact_below is not None
        kinds = Counter(
            {question.leg: 1, question.tenant.name: 1, "filtered": bool(question.query.filters), "index": index}
        )
        return Findings(1, leaks, int(wrong), len(found), 0, kinds, _example(question, found) if leaks or wrong else [])

    def _tells_own(self, question: Question, row: Row) -> bool:
        tenant, key = question.tenant, question.query.held_key
        held = row["held_version"], row["held_hint"]
        if key in tenant.documents:
            as_stored = held == (tenant.documents[key].version, None)
        elif key in tenant.failed:
            as_stored = held[1] == f"Ask {tenant.canary}."
        else:
            as_stored = held == (None, None)
        return as_stored and row["current_version"] == self.versions[tenant.name]

    def _ask_as_the_function_does(self, question: Question, rows: list[Row]) -> Findings:
        result = search(self.connection, question.query)
        places = [(passage.key, passage.ordinal, passage.score) for passage in result.passages]
        others = [(row["key"], row["ordinal"], row["score"]) for row in rows if row["key"] is not None]
        if places == others:
            return Findings()
        apart = next((pair for pair in zip_longest(places, others) if pair[0] != pair[1]), None)
        asked = f"{question.tenant.name}, {question.leg}, {question.filter_name}, {question.query.text!r}"
        return Findings(wrong_counts=1, examples=[f"search itself: {asked}: {apart}"])

    def _list(self, chance: random.Random) -> Findings:
        tenant, giver = chance.choice(self.tenants), chance.choice(self.tenants)
        documents = Documents(Database(lambda _: self.connection), tenant.name)
        deadline = Deadline.after(STEP_SECONDS)
        known = sorted([*tenant.documents, *tenant.failed, *tenant.queued])
        prefix = chance.choice(("", "folder1/", "failed/", "queued/", f"own/{giver.canary}"))
        page = documents.page(prefix=prefix, deadline=deadline)
        wrong = [row["key"] for row in page.documents] != [key for key in known if key.startswith(prefix)][:PAGE]
        key = chance.choice([*giver.documents, *giver.failed, *giver.queued, "none"])
        rows = page.documents
        try:
            rows = rows + documents.get(key, deadline=deadline).documents
        except UnknownDocument:
            wrong |= key in known
        leaks = sum(not _is_own_document(tenant, row) for row in rows)
        leaks += page.corpus_version != self.versions[tenant.name]
        examples = [f"listing: {tenant.name}, {prefix}, {key}"] if leaks or wrong else []
        return Findings(0, leaks, int(wrong), len(rows), 2, examples=examples)

    def _read_around(self, chance: random.Random) -> Findings:
        """Of whole documents, of which some are another tenant's."""
        tenant, giver = chance.choice(self.tenants), chance.choice(self.tenants)
        keys = chance.sample(sorted(giver.documents), min(5, len(giver.documents)))
        table = NeighbourTable(Database(lambda _: self.connection), tenant.name)
        found = table.chunks(
            [Window(key, 0, CHUNKS_OF_A_DOCUMENT) for key in keys], deadline=Deadline.after(STEP_SECONDS)
        )
        held = [tenant.documents[key] for key in keys if key in tenant.documents]
        own = {(document.key, chunk.text, document.version) for document in held for chunk in document.chunks}
        leaks = sum((chunk.key, chunk.text, chunk.version) not in own for chunk in found)
        wrong = len(found) != len(own)
        return Findings(0, leaks, int(wrong), len(found), 1, examples=["neighbours"] if leaks or wrong else [])


def _probe(number: int, question: Question) -> dict[str, Any]:
    query, asked = question.query, question_terms(question.query.text)
    return {
        "number": number,
        "tenant": query.tenant,
        "words": [one.word for one in asked],
        "languages": [one.language for one in asked],
        "terms": [one.term for one in asked],
        # Rounded as the search does: from decimals PostgreSQL would round a few elements to their other neighbour.
        "vector": HalfVector(query.vector).to_text() if query.vector is not None else None,
        "filters": query.filters,
        "most": query.limit,
        "depth": query.depth,
        "keyword_weight": query.keyword_weight,
        "held_key": query.held_key,
        "exact_below": EXACT_BELOW if query.exact_below is None else query.exact_below,
    }


def _is_own(question: Question, row: Row) -> bool:
    document = question.tenant.documents.get(row["key"])
    if document is None or row["ordinal"] >= len(document.chunks) or not question.passes(document):
        return False
    chunk = document.chunks[row["ordinal"]]
    stored = (chunk.text, document.title, document.version, document.metadata)
    if (row["text"], row["title"], row["version"], row["metadata"]) != stored:
        return False
    if question.query.vector is None:
        return row["cosine"] is None
    asked = np.asarray(question.query.vector)
    return bool(abs(chunk.vector @ asked / np.linalg.norm(asked) - row["cosine"]) < COSINE_TOLERANCE)


def _is_own_document(tenant: Tenant, row: Row) -> bool:
    document = tenant.documents.get(row["key"])
    if document is not None:
        chunks = len(document.chunks)
        counted = row["chunks_stored"] in (None, chunks) and row["vectors_stored"] in (None, chunks)
        held = row["title"], row["version"], row["metadata"], row["chunks"]
        return counted and held == (document.title, document.version, document.metadata, chunks)
    if row["key"] in tenant.failed:
        return bool(row["hint"] == f"Ask {tenant.canary}." and row["chunks_stored"] in (None, 0))
    return row["key"] in tenant.queued and bool(row["waiting"]["reason"] == tenant.canary)


def _example(question: Question, rows: list[Row]) -> list[str]:
    query = question.query
    asked = f"{question.tenant.name}, {question.leg}, {question.filter_name}, {query.text!r}, {query.limit}"
    return [f"{asked}, {query.exact_below}: {len(rows)} rows of {question.rows}"]
