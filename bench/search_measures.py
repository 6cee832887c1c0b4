"""Times and completeness of search in an index that ``bench.search_filling`` made."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import Connection

from ask.filters import Filters
from ask.retrieval import Query, RetrievalStage
from ask.searching import DatabaseSearcher
from bench.machine import QuietTelemetry, machine_on
from bench.ranking import percentile
from bench.search_filling import INDEX, MODELS, NEAREST, PASSAGES, PLAIN, WARM_UP, Prepared
from bench.search_texts import GIANT, LABELS, SMALL
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import ModelUnavailable
from bucketwise.index_kind import LiveKind
from bucketwise.search import Passage, SearchQuery, search
from bucketwise.settings import Settings
from local.postgres import Postgres

STEP_SECONDS = 600.0
FILTERED = 50  # questions for each filter
OVERLAPPING = 100  # questions that are also ranked exactly
MORE_THAN_ANY_TENANT_HAS = 1_000_000_000
EF_SEARCH = (PASSAGES, 75, 100, 150, 200, 300, 400, 600, 800, 1000)
LEGS = ("vector", "keyword", "hybrid")
RAW: LiteralString = "SELECT id FROM passages ORDER BY embedding <=> %s LIMIT %s"
SIZES: LiteralString = """
    SELECT c.relname, c.relkind = 'i',
        CASE c.relkind WHEN 'i' THEN pg_relation_size(c.oid) ELSE pg_table_size(c.oid) END
    FROM pg_class c WHERE c.relnamespace = 'bucketwise'::regnamespace AND c.relkind IN ('r', 'i') ORDER BY 1"""

Place = tuple[str, int]
Milliseconds = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Question:
    """``nearest`` are the passages of the giant tenant with the nearest vectors, by their ids in the plain table."""

    text: str
    vector: list[float]
    nearest: list[int]


@dataclass(slots=True)
class GivenVector:
    """Stands where the embedding model does, and takes no time."""

    vector: list[float] | None = None

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:  # noqa: ARG002
        if self.vector is None:
            raise ModelUnavailable("it was not to be asked")
        return Embeddings([self.vector for _ in texts], 0)


@dataclass(frozen=True, slots=True)
class Asker:
    """The retrieval half of the ask function, with one leg or both."""

    stage: RetrievalStage
    model: GivenVector

    def ask(self, question: Question, leg: str, filters: dict[str, Any] | None = None) -> tuple[list[Passage], float]:
        """The passages, and the milliseconds that it took."""
        self.model.vector = None if leg == "keyword" else question.vector
        stage = replace(self.stage, keyword_weight=0.0) if leg == "vector" else self.stage
        query = Query("" if leg == "vector" else question.text, filters=filters, limit=PASSAGES)
        began = perf_counter()
        found = stage.retrieve(query, deadline=Deadline.after(STEP_SECONDS))
        return found.passages, (perf_counter() - began) * 1000

    def of(self, tenant: str) -> "Asker":
        return replace(self, stage=replace(self.stage, tenant=tenant))


def measure(postgres: Postgres, home: Path, prepared: Prepared) -> dict[str, object]:
    settings = machine_on(postgres, MODELS, name=INDEX).ask
    questions = read_questions(home)
    with (
        closing(Database(lambda deadline: connect(settings, deadline))) as database,
        psycopg.connect(postgres.create_database(PLAIN), autocommit=True) as plain,
    ):
        register_vector(plain)
        plain.execute("SET enable_seqscan = off")
        asker = _asker(settings, database)
        _progress("recall")
        recall = _recall(asker, questions, _places(plain, questions))
        ef_search, raw_recall = _equal_recall(plain, questions, recall)
        _progress("times")
        milliseconds = _times(asker, plain, questions)
        _progress("filters")
        filters = list(_filters(asker, questions, prepared.labels))
        small = _complete(asker.of(SMALL), questions, None, prepared.small_tenant_chunks)
        _progress("exact keyword ranking")
        overlap = _keyword_overlap(asker, database, questions, settings)
    with psycopg.connect(postgres.dsn("bucketwise_migrate", INDEX), autocommit=True) as owner:
        tables, indexes = _sizes(owner)
    return (
        {f"{name}_p{share}_ms": round(percentile(times, share / 100), 1)
         for name, times in milliseconds.items() for share in (50, 95, 99)}
        | {"recall@10": round(recall, 4), "raw_recall@10": round(raw_recall, 4), "raw_ef_search": ef_search,
           "keyword_overlap@10": round(overlap, 4), "filters": filters, "small_tenant": small,
           "tables_mb": tables, "indexes_mb": indexes}
        | {name: value for name, value in asdict(prepared).items() if name != "labels"}
        | {"questions": len(questions) - WARM_UP, "limit": PASSAGES, "depth": settings.search_depth,
           "keyword_weight": settings.keyword_weight, "cpus": os.cpu_count()}
    )  # fmt: skip


def read_questions(home: Path) -> list[Question]:
    """The first WARM_UP are not to be measured."""
    kept: dict[str, NDArray[Any]] = dict(np.load(home / "questions.npz"))
    columns = (kept[name].tolist() for name in ("texts", "vectors", "nearest"))
    return [Question(*row) for row in zip(*columns, strict=True)]


def _asker(settings: Settings, database: Database) -> Asker:
    model = GivenVector()
    stage = RetrievalStage(
        searcher=DatabaseSearcher(database),
        kinds=LiveKind(database),
        embedder_for=lambda _: model,
        telemetry=QuietTelemetry("bench"),
        tenant=GIANT,
        depth=settings.search_depth,
        keyword_weight=settings.keyword_weight,
    )
    return Asker(stage, model)


def _places(plain: Connection, questions: list[Question]) -> dict[int, Place]:
    ids = sorted({number for question in questions for number in question.nearest})
    rows = plain.execute("SELECT id, key, ordinal FROM passages WHERE id = ANY(%s)", (ids,)).fetchall()
    return {number: (key, ordinal) for number, key, ordinal in rows}


def _recall(asker: Asker, questions: list[Question], places: dict[int, Place]) -> float:
    def found(question: Question) -> float:
        passages, _ = asker.ask(question, "vector")
        return _shared(_named(passages), [places[number] for number in question.nearest])

    return fmean(map(found, questions[WARM_UP:]))


def _equal_recall(plain: Connection, questions: list[Question], wanted: float) -> tuple[int, float]:
    """The least ef_search with which the plain table's recall is as high, and that recall."""
    for ef_search in EF_SEARCH:
        plain.execute("SELECT set_config('hnsw.ef_search', %s, false)", (str(ef_search),))
        recall = fmean(_shared(_raw(plain, question), question.nearest) for question in questions[WARM_UP:])
        if recall >= wanted:
            break
    return ef_search, recall


def _raw(plain: Connection, question: Question) -> list[int]:
    rows = plain.execute(RAW, (HalfVector(question.vector), PASSAGES)).fetchall()
    return [number for (number,) in rows]


def _times(asker: Asker, plain: Connection, questions: list[Question]) -> Milliseconds:
    """All ways in turn for each question, as a machine's speed drifts."""
    milliseconds: Milliseconds = {leg: [] for leg in (*LEGS, "raw_vector")}
    for question in questions:
        for leg in LEGS:
            milliseconds[leg].append(asker.ask(question, leg)[1])
        began = perf_counter()
        _raw(plain, question)
        milliseconds["raw_vector"].append((perf_counter() - began) * 1000)
    return {name: times[WARM_UP:] for name, times in milliseconds.items()}


def _filters(asker: Asker, questions: list[Question], labels: dict[str, int]) -> Iterator[dict[str, object]]:
    for label in reversed(LABELS):
        by = {"metadata": Filters(metadata={"label": label}), "prefix": Filters(prefix=f"{label}/")}
        for name, filters in by.items():
            yield {"by": name, "label": label, "chunks": labels[label]} | _complete(
                asker, questions, filters.for_index(), labels[label]
            )


def _complete(asker: Asker, questions: list[Question], filters: dict[str, Any] | None, there: int) -> dict[str, float]:
    """The least share of the rows that a hybrid search should have found, and its p95."""
    found = [asker.ask(question, "hybrid", filters) for question in questions[: WARM_UP + FILTERED]]
    least = min(len(passages) for passages, _ in found) / min(PASSAGES, there)
    return {"rows": round(least, 4), "p95_ms": round(percentile([took for _, took in found[WARM_UP:]], 0.95), 1)}


def _keyword_overlap(asker: Asker, database: Database, questions: list[Question], settings: Settings) -> float:
    """With the ranking for which each chunk is scored by its own terms."""

    def shared(question: Question) -> float:
        query = SearchQuery(
            GIANT, question.text, None, {}, NEAREST, settings.search_depth, 1.0, exact_below=MORE_THAN_ANY_TENANT_HAS
        )
        wanted = database.run(lambda connection: search(connection, query), deadline=Deadline.after(STEP_SECONDS))
        passages, _ = asker.ask(question, "keyword")
        return _shared(_named(passages), _named(wanted.passages)) if wanted.passages else 1.0

    return fmean(map(shared, questions[WARM_UP : WARM_UP + OVERLAPPING]))


def _named(passages: Sequence[Passage]) -> list[Place]:
    return [(passage.key, passage.ordinal) for passage in passages]


def _shared(found: Sequence[object], wanted: Sequence[object]) -> float:
    """How many of ``wanted`` are among the first ten found."""
    return len(set(found[:NEAREST]) & set(wanted)) / len(wanted)


def _sizes(owner: Connection) -> tuple[dict[str, float], dict[str, float]]:
    """Of the tables without their indexes, and of the indexes, from 0.1 MB on."""
    tables: dict[str, float] = {}
    indexes: dict[str, float] = {}
    for name, is_index, size in owner.execute(SIZES):
        if size >= 100_000:
            (indexes if is_index else tables)[name] = round(size / 1e6, 1)
    return tables, indexes


def _progress(what: str) -> None:
    print(what, file=sys.stderr)
