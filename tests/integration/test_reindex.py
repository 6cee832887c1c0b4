"""Going over to another embedding model while the index is in use, and back."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psycopg
import pytest

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.embedding import Embeddings
from bucketwise.errors import EmbeddingMissing, IndexChanged, IndexMismatch, ModelUnavailable
from bucketwise.index_kind import IndexKind, LiveKind
from ingest.collection import Collection
from ingest.embedding_sets import EmbeddingSets
from ingest.embedding_stage import EmbeddingStage
from ingest.index import DocumentIndex
from ingest.reindex import Reindex
from ingest.vectors import VectorTable, text_digest
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase, connected, opened, settings_for
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON

OLD = IndexKind(MODEL, DIMENSIONS)
NEW = IndexKind("another-model", 4)
SAME_SIZE = IndexKind("third-model", DIMENSIONS)


@dataclass
class CountingEmbedder:
    """Vectors of ``dimensions`` ones; gives up after ``most`` texts."""

    dimensions: int
    most: int = 1_000_000
    texts: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        deadline.allow(tries)
        if len(self.texts) + len(texts) > self.most:
            raise ModelUnavailable("the model's server answered 503")
        self.texts += texts
        return Embeddings([[1.0] * self.dimensions for _ in texts], len(texts))


@dataclass
class Place:
    """One index, seen by its owner, by ingest and by a superuser."""

    database: IndexDatabase
    owner: Database
    tenant: Tenant
    embedders: dict[IndexKind, CountingEmbedder]

    @property
    def sets(self) -> EmbeddingSets:
        return EmbeddingSets(self.owner)

    def reindex(self) -> Reindex:
        def stage_for(kind: IndexKind, table: str, tenant: str) -> EmbeddingStage:
            store = VectorTable(self.owner, tenant, table)
            return EmbeddingStage(store, self.embedders[kind], kind.embedding_model, batch_tokens=9, concurrency=2)

        return Reindex(self.sets, stage_for)

    def go_over(self, kind: IndexKind) -> bool:
        return self.reindex().go_over(kind, deadline=SOON).live

    def live(self) -> IndexKind:
        return self.sets.live(deadline=SOON)

    def nearest(self, vector: list[float]) -> list[str]:
        with connected(self.database.superuser) as connection:
            rows = connection.execute(
                """SELECT key FROM bucketwise.hybrid_search(
                       'acme', '{}', '{}', '{}', %s::halfvec, '{}', 10, 10, 0, 10000, 0, 0.9, 0.4) ORDER BY key""",
                (str(vector),),
            )
            return [row[0] for row in rows]


@pytest.fixture
def place(index_database: IndexDatabase) -> Iterator[Place]:
    with opened(index_database.owner) as owner, opened(index_database.ingest) as ingest:
        tenant = Tenant(DocumentIndex(ingest, "acme", "fingerprint"), index_database)
        embedders = {kind: CountingEmbedder(kind.dimensions) for kind in (OLD, NEW, SAME_SIZE)}
        yield Place(index_database, owner, tenant, embedders)


def test_every_text_gets_a_vector_of_the_new_kind_once_and_search_goes_over(place: Place) -> None:
    place.tenant.store("one", "two", key="a.txt")
    place.tenant.store("two", "three", key="b.txt")
    assert place.go_over(NEW)
    assert place.live() == NEW
    assert sorted(place.embedders[NEW].texts) == ["one", "three", "two"]
    assert place.nearest([1.0] * NEW.dimensions) == ["a.txt", "a.txt", "b.txt", "b.txt"]


def test_going_back_costs_only_what_came_since(place: Place) -> None:
    place.tenant.store("one", "two")
    assert place.go_over(NEW)
    table = VectorTable(place.tenant.index.database, "acme")
    table.add_embeddings({text_digest("four"): [1.0] * NEW.dimensions}, deadline=SOON)
    assert place.tenant.put("four", key="b.txt")
    assert place.go_over(OLD)
    assert (place.live(), place.embedders[OLD].texts) == (OLD, ["four"])
    assert place.nearest([1.0] * DIMENSIONS) == ["a.txt", "a.txt", "b.txt"]


def test_a_run_that_fails_changes_nothing_live_and_the_next_one_goes_on(place: Place) -> None:
    texts = [f"text {number}" for number in range(20)]
    place.tenant.store(*texts)
    place.embedders[NEW].most = 9
    with pytest.raises(ModelUnavailable):
        place.go_over(NEW)
    assert place.live() == OLD
    assert len(place.nearest([1.0] * DIMENSIONS)) == 10
    done = len(place.embedders[NEW].texts)
    place.embedders[NEW].most = 1000
    assert place.go_over(NEW)
    assert done > 0
    assert sorted(place.embedders[NEW].texts) == sorted(texts)


def test_no_time_is_no_harm(place: Place) -> None:
    place.tenant.store("one")
    place.sets.prepare(NEW, "auto", deadline=SOON)
    assert not place.sets.switch(NEW, deadline=SOON)
    assert place.live() == OLD


def test_a_commit_under_way_is_waited_for_and_its_texts_are_not_missed(place: Place) -> None:
    place.tenant.store("one")
    place.tenant.embed("late")
    with psycopg.connect(place.database.superuser) as writer:
        writer.execute(
            """INSERT INTO bucketwise.chunks (tenant, key, ordinal, text_sha256, text, tokens, start_offset,
                   end_offset, marks, context)
               VALUES ('acme', 'a.txt', 1, %s, 'late', 1, 0, 4, '[]', '')""",
            (text_digest("late"),),
        )
        done: list[bool] = []
        runner = threading.Thread(target=lambda: done.append(place.go_over(NEW)))
        runner.start()
        while not place.database.count(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%%'"
        ):
            assert runner.is_alive()
        writer.commit()
        runner.join()
    assert done == [True]
    assert sorted(place.embedders[NEW].texts) == ["late", "one"]


def test_vectors_of_the_kind_that_was_live_are_refused_and_the_kind_is_read_anew(place: Place) -> None:
    ingest = place.tenant.index.database
    live = LiveKind(ingest)
    table = VectorTable(ingest, "acme", kind=live.get(deadline=SOON))
    assert place.go_over(SAME_SIZE)
    with pytest.raises(IndexChanged):
        table.add_embeddings({text_digest("x"): [1.0] * DIMENSIONS}, deadline=SOON)
    assert table.known_texts([text_digest("x")], deadline=SOON) == set()
    live.forget()
    assert live.get(deadline=SOON) == SAME_SIZE


def test_a_chunk_whose_vector_is_of_the_old_kind_alone_cannot_be_committed(place: Place) -> None:
    place.tenant.embed("only old")
    assert place.go_over(NEW)
    with pytest.raises(EmbeddingMissing):
        place.tenant.put("only old")


def test_what_was_deleted_leaves_the_kinds_that_are_not_live_too(place: Place) -> None:
    place.tenant.store("one", "two")
    place.tenant.store("two", key="b.txt")
    assert place.go_over(NEW)
    place.tenant.bury("a.txt")
    collection = Collection(place.tenant.index.database, "acme")
    assert collection.collect_released(deadline=SOON) + collection.sweep(deadline=SOON) == 2
    assert place.database.count("SELECT count(*) FROM bucketwise.embeddings") == 1
    assert place.database.count("SELECT count(*) FROM bucketwise.embeddings_1") == 1


def test_functions_may_be_set_to_either_kind_until_the_others_are_dropped(place: Place) -> None:
    place.tenant.store("one")
    assert place.go_over(NEW)
    assert [live_as_set_to(place, kind) for kind in (OLD, NEW)] == [NEW, NEW]
    assert place.reindex().drop_others(deadline=SOON).dropped == 1
    assert place.database.count("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'embeddings%%'") == 1
    with pytest.raises(IndexMismatch, match="make reindex"):
        live_as_set_to(place, OLD)


def live_as_set_to(place: Place, kind: IndexKind) -> IndexKind:
    """The live kind, as a function sees it whose settings name ``kind``."""
    settings = settings_for(place.database.ingest, model=kind.embedding_model, dimensions=kind.dimensions)
    database = Database(lambda deadline: connect(settings, deadline))
    try:
        return LiveKind(database).get(deadline=SOON)
    finally:
        database.close()
