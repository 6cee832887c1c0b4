"""An answer is found again for as long as nothing has changed, by the tenant that got it, and by nobody else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ask.answer_cache import KeptAnswer, KeptVector
from bucketwise.connection import BoundedConnection
from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.errors import DatabaseUnavailable
from bucketwise.index_kind import IndexKind
from bucketwise.search import HeldVersion
from tests.integration.cached_tenant import ANSWER, KIND, QUESTION, CachedTenant, cached_tenant, mark
from tests.integration.index_database import MODEL, IndexDatabase, settings_for
from tests.unit.fakes import log_to_current_stdout
from tests.unit.ingest_fakes import SOON

VECTOR = [1.0, 0.5, -0.25, 0.0, 3.0, 4.0, 5.0, 6.0]
OTHER_KIND = IndexKind("another-model", 8)

Change = Callable[[CachedTenant], object]
REMOVING: dict[str, Change] = {
    "replace": lambda cached: cached.tenant.store("new", version="v2"),
    "store anew": lambda cached: cached.tenant.store("one"),
    "fail": lambda cached: cached.tenant.fail(version="v2"),
    "delete": lambda cached: cached.tenant.bury(),
}
CHANGES: dict[str, Change] = REMOVING | {
    "add": lambda cached: cached.tenant.store("more", key="c.txt"),
    "replace another": lambda cached: cached.tenant.store("new", key="b.txt"),
    "delete another": lambda cached: cached.tenant.bury("b.txt"),
    "sidecar": CachedTenant.describe,
}
NO_CHANGES: dict[str, Change] = {
    "confirm": lambda cached: cached.tenant.confirm(),
    "fail again": lambda cached: cached.tenant.fail("bad.txt"),
    "delete again": lambda cached: cached.tenant.bury("gone.txt"),
    "superseded": lambda cached: cached.tenant.bury(claim=1),
}


@pytest.fixture
def tenants(shared_index: IndexDatabase) -> Iterator[tuple[CachedTenant, CachedTenant]]:
    """Each with two documents and an answer of the first, under one fingerprint and in one corpus version."""
    with cached_tenant(shared_index) as first:
        second = first.another()
        for each in (first, second):
            each.tenant.store("one")
            each.tenant.store("two", key="b.txt")
        first.keep("a.txt")
        yield first, second


@pytest.fixture
def cached(tenants: tuple[CachedTenant, CachedTenant]) -> CachedTenant:
    return tenants[0]


def test_an_answer_comes_back_as_it_was_given_with_the_corpus_version(cached: CachedTenant) -> None:
    odd: dict[str, Any] = {"text": 'a NUL \0, half \ud800, "ü"', "z": 1.1, "a": [None, True, {}], "z2": 10**20}
    cached.keep("a.txt", "b.txt", "b.txt", answer=odd)
    found = cached.look_up()
    assert (found.answer, found.corpus_version) == (odd, 2)
    assert list(found.answer or ()) == list(odd)


def test_an_answer_to_something_else_is_not_found(cached: CachedTenant) -> None:
    assert cached.answer("f") == ANSWER
    assert cached.answer("g") is None


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_any_change_of_the_tenants_documents_the_answer_is_not_found(
    cached: CachedTenant, change: Change
) -> None:
    before = cached.look_up().corpus_version or 0
    assert change(cached)
    after = cached.look_up()
    assert (after.answer, after.corpus_version) == (None, before + 1)


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_changes_no_document_leaves_the_answer(cached: CachedTenant, change: Change) -> None:
    change(cached)
    assert cached.answer() == ANSWER


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_tenants_changes_leave_the_answer(tenants: tuple[CachedTenant, CachedTenant], change: Change) -> None:
    cached, other = tenants
    assert change(other)
    assert cached.answer() == ANSWER


def test_another_tenant_finds_neither_answer_nor_vector(tenants: tuple[CachedTenant, CachedTenant]) -> None:
    cached, other = tenants
    cached.cache.keep(None, KeptVector(QUESTION, KIND, VECTOR, 5), deadline=SOON)
    found = other.look_up()
    assert (found.corpus_version, found.answer, found.vector) == (cached.look_up().corpus_version, None, None)
    other.keep("a.txt", answer={"text": "theirs"})
    assert (cached.answer(), other.answer()) == (ANSWER, {"text": "theirs"})


@pytest.mark.parametrize("change", REMOVING.values(), ids=REMOVING)
def test_a_change_removes_the_answers_that_hold_words_of_the_document_and_no_others(
    tenants: tuple[CachedTenant, CachedTenant], change: Change
) -> None:
    cached, other = tenants
    other.keep("a.txt", answer={"of": "another tenant"})
    cached.keep("a.txt", "b.txt", fingerprint="both")
    cached.keep("b.txt", fingerprint="other", answer={"of": "b"})
    assert change(cached)
    assert (cached.rows, cached.sources) == ([{"of": "b"}], {"b.txt"})
    assert other.rows == [{"of": "another tenant"}]


def test_an_answer_that_takes_anothers_place_has_its_own_sources(cached: CachedTenant) -> None:
    cached.keep("b.txt", answer={"text": "later"})
    cached.tenant.bury()
    assert (cached.rows, cached.sources) == ([{"text": "later"}], {"b.txt"})


@pytest.mark.parametrize(
    "sources", [[("a.txt", "v2")], [("a.txt", None)], ["none.txt"], ["a.txt", ("a.txt", "v2")], ["bad.txt"]]
)
def test_an_answer_of_what_is_not_indexed_is_not_kept(cached: CachedTenant, sources: list[Any]) -> None:
    cached.tenant.fail("bad.txt")
    cached.keep(*sources, fingerprint="g")
    assert cached.answer("g") is None
    assert len(cached.rows) == 1


@pytest.mark.parametrize("found_in", [0, 1, 3])
def test_an_answer_of_another_corpus_version_is_not_kept(cached: CachedTenant, found_in: int) -> None:
    cached.keep("a.txt", fingerprint="g", found_in=found_in)
    assert len(cached.rows) == 1


def test_an_answer_of_an_object_without_a_version_id_is_kept_and_removed(cached: CachedTenant) -> None:
    cached.tenant.store("bare", key="c.txt", version=None)
    cached.keep(("c.txt", None), fingerprint="c")
    assert cached.answer("c") == ANSWER
    late = cached.tenant.version
    cached.tenant.store("bare again", key="c.txt", version=None)
    cached.keep(("c.txt", None), fingerprint="c", found_in=late)
    assert cached.answer("c") is None
    assert "c.txt" not in cached.sources


def test_an_answer_without_sources_is_kept_until_something_changes(cached: CachedTenant) -> None:
    cached.keep(fingerprint="none", answer={"reason": "nothing_relevant"})
    assert cached.answer("none") == {"reason": "nothing_relevant"}
    cached.tenant.store("more", key="c.txt")
    assert cached.answer("none") is None


def test_an_answer_is_found_until_it_is_too_old(cached: CachedTenant) -> None:
    cached.grow_old("cached_answers", 3500)
    assert cached.answer() == ANSWER
    cached.grow_old("cached_answers", 200)
    assert cached.answer() is None
    cached.keep("a.txt")
    assert cached.answer() == ANSWER


def test_with_no_seconds_nothing_is_looked_up_or_kept(cached: CachedTenant) -> None:
    off = replace(cached, cache=replace(cached.cache, seconds=0))
    off.keep("a.txt", fingerprint="g")
    off.cache.keep(None, KeptVector(QUESTION, KIND, VECTOR, 5), deadline=SOON)
    assert off.look_up().corpus_version is None
    assert (cached.answer("g"), cached.look_up("g").vector) == (None, None)


def test_a_questions_vector_is_found_where_there_is_no_answer(cached: CachedTenant) -> None:
    rough = [0.1, *VECTOR[1:]]
    cached.cache.keep(None, KeptVector(QUESTION, KIND, rough, 5), deadline=SOON)
    found = cached.look_up("g")
    assert found.vector == pytest.approx(rough, rel=1e-3)
    assert (found.answer, found.tokens) == (None, 5)
    assert cached.look_up("g", "Another question?").vector is None
    assert (cached.look_up().answer, cached.look_up().vector) == (ANSWER, None)
    cached.tenant.bury()
    assert cached.look_up().vector == found.vector


def test_a_vector_of_another_kind_is_not_found_and_gives_way(cached: CachedTenant) -> None:
    cached.cache.keep(None, KeptVector(QUESTION, OTHER_KIND, VECTOR, 5), deadline=SOON)
    cached.cache.keep(None, KeptVector("sizes", IndexKind(MODEL, 4), VECTOR[:4], 5), deadline=SOON)
    assert (cached.look_up("g").vector, cached.look_up("g", "sizes").vector) == (None, None)
    cached.cache.keep(None, KeptVector(QUESTION, KIND, VECTOR, 7), deadline=SOON)
    assert (cached.look_up("g").vector, cached.look_up("g").tokens) == (VECTOR, 7)


def test_nothing_is_found_for_a_kind_of_vectors_that_is_not_live(cached: CachedTenant) -> None:
    cached.cache.keep(None, KeptVector(QUESTION, OTHER_KIND, VECTOR, 5), deadline=SOON)
    for fingerprint in ("f", "g"):
        found = cached.look_up(fingerprint, kind=OTHER_KIND)
        assert (found.corpus_version, found.answer, found.vector) == (2, None, None)


def test_the_version_of_a_named_object_is_told_with_it(cached: CachedTenant) -> None:
    assert cached.look_up(held_key="a.txt").held == HeldVersion("v1")
    assert (cached.look_up(held_key="none.txt").held, cached.look_up().held) == (None, None)
    cached.tenant.fail(version="v2")
    assert cached.look_up(held_key="a.txt").held == HeldVersion("v2", "corrupt", "The file is damaged.")


def test_what_was_found_and_what_was_not_is_counted(cached: CachedTenant) -> None:
    for fingerprint in ("f", "g", "f", "f"):
        cached.look_up(fingerprint)
    counted: dict[str, Any] = {**cached.cache.telemetry.metrics.serialize_metric_set()}
    assert (counted["CacheHit"], counted["CacheMiss"]) == ([1.0] * 3, [1.0])


def unreachable() -> Database:
    return Database(lambda _: BoundedConnection.connect("postgresql://nobody@127.0.0.1:1/none"))


def read_only(dsn: str) -> Database:
    """As the connection to a writer that a failover has made a reader."""
    given = settings_for(f"{dsn}?options=-c%20default_transaction_read_only%3Don")
    return Database(lambda _: connect(given, SOON))


@pytest.mark.parametrize("why", ["database is unreachable", "database is read-only", "time is over"])
def test_what_cannot_be_kept_is_logged_without_a_word_of_it(
    cached: CachedTenant, shared_index: IndexDatabase, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_current_stdout(cached.cache.telemetry)
    database = {"database is unreachable": unreachable(), "database is read-only": read_only(shared_index.ask)}.get(why)
    cache = cached.on(ask=database).cache
    deadline = Deadline.after(-1) if why == "time is over" else SOON
    cache.keep(KeptAnswer(mark("g"), 2, ANSWER, [("a.txt", "v1")]), None, deadline=deadline)
    cache.keep(None, KeptVector("A secret question?", KIND, VECTOR, 5), deadline=deadline)
    cache.database.close()
    told = capsys.readouterr().out
    assert told.count('"failed"') == 2
    assert not any(word in told for word in ("25 days", "a.txt", "secret", "SELECT"))
    assert len(cached.rows) == 1


def test_a_database_that_cannot_be_reached_is_told_to_who_looks_up(cached: CachedTenant) -> None:
    with pytest.raises(DatabaseUnavailable):
        cached.on(ask=unreachable()).look_up()
