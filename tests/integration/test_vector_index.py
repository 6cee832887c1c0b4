"""Whichever the kind of the vector index, the nearest passages are found, and as many as were asked for."""

from collections.abc import Iterator
from typing import Any

import pytest

from bucketwise import migrations as package
from bucketwise.migrations import migrate, migrations
from local.postgres import Postgres
from tests.integration.index_database import MODEL, IndexDatabase, connected
from tests.integration.vector_corpus import VectorCorpus, ask, clustered, store, unit, vector_corpus

COUNT = 3000
KINDS = {"binary": 1536, "halfvec": 96}
DEFINITION = (
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid = 'bucketwise.embeddings_hnsw'::regclass"
)


@pytest.fixture(scope="module", params=KINDS)
def corpus(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[VectorCorpus]:
    vectors = clustered(COUNT, KINDS[request.param])
    with vector_corpus(postgres, request.param, vectors) as corpus:
        yield corpus


def definition(database: IndexDatabase) -> str:
    with connected(database.owner) as owner:
        [text] = owner.execute(DEFINITION).fetchone() or [""]
    return str(text)


def settings(database: IndexDatabase) -> tuple[Any, ...] | None:
    with connected(database.owner) as owner:
        return owner.execute("SELECT dimensions, vector_index FROM bucketwise.index_settings").fetchone()


def test_nearly_all_of_the_ten_nearest_are_found_by_the_index(corpus: VectorCorpus) -> None:
    hits = 0
    for question in corpus.questions(40):
        found = ask(corpus, question, depth=100)
        assert found.index_scans == 1
        hits += len({*found.places[:10]} & {*corpus.nearest(question, most=10)})
    assert hits >= 0.95 * 400


def test_what_is_found_is_ordered_by_the_whole_vectors(corpus: VectorCorpus) -> None:
    [question] = corpus.questions(1)
    found = ask(corpus, question, depth=60)
    by_place = {corpus.place(number): vector for number, vector in enumerate(corpus.vectors)}
    assert len(found.places) == len(set(found.places)) == 60
    assert found.cosines == sorted(found.cosines, reverse=True)
    assert found.cosines == pytest.approx([float(by_place[place] @ question) for place in found.places], abs=0.002)


@pytest.mark.parametrize(("exact_below", "scans"), [(COUNT - 1, 1), (COUNT, 0)])
def test_the_index_is_asked_only_where_candidates_are_many(corpus: VectorCorpus, exact_below: int, scans: int) -> None:
    [question] = corpus.questions(1)
    found = ask(corpus, question, depth=10, exact_below=exact_below)
    assert found.index_scans == scans
    assert found.places == corpus.nearest(question, most=10)


@pytest.mark.parametrize("prefix", ["3/", "3/003.txt"])
def test_a_filter_leaves_as_many_as_were_asked_for(corpus: VectorCorpus, prefix: str) -> None:
    for question in corpus.questions(5):
        expected = corpus.nearest(question, most=50, prefix=prefix)
        found = ask(corpus, question, depth=50, prefix=prefix)
        assert len(found.places) == len(expected) == 50
        assert len({*found.places[:10]} & {*expected[:10]}) >= 9


def test_what_lies_where_the_index_does_not_come_to_is_compared_one_by_one(
    corpus: VectorCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c hnsw.max_scan_tuples=100")
    [question] = corpus.questions(1)
    far = corpus.nearest(question, most=COUNT)[-1]
    found = ask(corpus, question, depth=50, prefix=far[0])
    assert found.index_scans == 1
    assert found.places == corpus.nearest(question, most=50, prefix=far[0])


def test_a_small_tenant_beside_a_large_one_gets_all_it_has(corpus: VectorCorpus) -> None:
    [question] = corpus.questions(1)
    away = {("a.txt", ordinal): unit(-question + 0.01 * ordinal * corpus.vectors[ordinal]) for ordinal in range(5)}
    with connected(corpus.database.ingest) as connection:
        store(connection, "small", away)
    found = ask(corpus, question, depth=50, tenant="small")
    assert sorted(found.places) == sorted(away)
    assert ask(corpus, question, depth=50, tenant="nobody").places == []


@pytest.mark.parametrize(
    ("wanted", "dimensions", "made"),
    [
        ("auto", 1023, "halfvec"),
        ("auto", 1024, "binary"),
        ("halfvec", 1024, "halfvec"),
        ("binary", 64, "binary"),
    ],
)
def test_the_kind_is_decided_when_the_index_is_made(
    empty: IndexDatabase, wanted: str, dimensions: int, made: str
) -> None:
    with connected(empty.owner) as owner:
        migrate(owner, embedding_model=MODEL, dimensions=dimensions, vector_index=wanted)
        assert migrate(owner, embedding_model=MODEL, dimensions=dimensions, vector_index="halfvec") == []
    assert settings(empty) == (dimensions, made)
    assert ("binary_quantize" in definition(empty)) == (made == "binary")


def test_an_index_that_was_deployed_before_goes_over_with_what_it_holds(
    empty: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = clustered(200, 1024)
    with monkeypatch.context() as patched, connected(empty.owner) as owner:
        older = migrations()[:4]
        patched.setattr(package, "migrations", lambda: older)
        patched.setattr(package, "_file", lambda _: b"")  # today's rights are on what came later, too
        patched.setattr(package, "check_index", lambda *_, **__: None)
        migrate(owner, embedding_model=MODEL, dimensions=1024)
    corpus = VectorCorpus(empty, vectors)
    with connected(empty.owner) as owner:
        store(owner, "t", {corpus.place(number): vector for number, vector in enumerate(vectors)}, context="headings")
        migrate(owner, embedding_model=MODEL, dimensions=1024)
    assert settings(empty) == (1024, "binary")
    [question] = corpus.questions(1)
    found = ask(corpus, question, depth=10)
    assert (found.index_scans, found.places) == (1, corpus.nearest(question, most=10))


def test_a_table_for_another_model_stands_beside_the_live_one_with_the_same_rights(
    index_database: IndexDatabase,
) -> None:
    rights = """SELECT grantee::regrole::text, privilege_type FROM pg_class, aclexplode(relacl)
                WHERE oid = ('bucketwise.' || %s)::regclass AND grantee <> relowner ORDER BY 1, 2"""
    with connected(index_database.owner) as owner:  # as in the reindex function: no vector was used before
        owner.execute("SELECT bucketwise.make_embeddings('embeddings_7', 16, 'halfvec')")
        live, beside = (owner.execute(rights, (name,)).fetchall() for name in ("embeddings", "embeddings_7"))
    assert beside == live != []
    with connected(index_database.ingest) as ingest:
        ingest.execute(
            "INSERT INTO bucketwise.embeddings_7 (tenant, text_sha256, embedding) SELECT 't', '', %s", ([1.0] * 16,)
        )


@pytest.mark.parametrize("kind", KINDS)
def test_search_is_made_anew_for_the_table_that_goes_live(index_database: IndexDatabase, kind: str) -> None:
    vectors = clustered(100, 72)
    with connected(index_database.owner) as owner, owner.transaction():
        owner.execute("SELECT bucketwise.make_embeddings('embeddings_7', 72, %s)", (kind,))
        owner.execute("ALTER TABLE bucketwise.chunks DROP CONSTRAINT chunks_have_vectors")
        owner.execute("ALTER TABLE bucketwise.embeddings RENAME TO embeddings_1")
        owner.execute("ALTER TABLE bucketwise.embeddings_7 RENAME TO embeddings")
    with connected(index_database.owner) as owner:
        owner.execute("SELECT bucketwise.make_nearest(72, %s)", (kind,))
    corpus = VectorCorpus(index_database, vectors)
    with connected(index_database.ingest) as ingest:
        store(ingest, "t", {corpus.place(number): vector for number, vector in enumerate(vectors)})
    [question] = corpus.questions(1)
    found = ask(corpus, question, depth=10)
    assert (found.index_scans, found.places) == (1, corpus.nearest(question, most=10))
