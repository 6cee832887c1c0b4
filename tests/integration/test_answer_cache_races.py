"""An answer is kept while a document is changed that it holds words of: no old word is left, and nobody hangs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bucketwise.deadline import Deadline
from ingest.cached_answers import CachedAnswers
from tests.integration.cached_tenant import ANSWER, CachedTenant, cached_tenant
from tests.integration.collected_vectors import PATIENCE, Pausing, begin, wait_until_blocked
from tests.integration.index_database import IndexDatabase, connected
from tests.unit.fakes import log_to_current_stdout

DEFINITION = "SELECT pg_get_functiondef('bucketwise.keep_answer'::regproc)"


@pytest.fixture
def cached(shared_index: IndexDatabase) -> Iterator[CachedTenant]:
    """With two documents, and no answer."""
    with cached_tenant(shared_index) as tenant:
        tenant.tenant.store("one")
        tenant.tenant.store("two", key="b.txt")
        yield tenant


@pytest.fixture
def nothing_fails(cached: CachedTenant, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """What is not kept is no failure, and one that waited for the database for too long would be."""
    log_to_current_stdout(cached.cache.telemetry)
    yield
    assert "failed" not in capsys.readouterr().out


@pytest.fixture
def patient(shared_index: IndexDatabase) -> Iterator[None]:
    """Who keeps an answer waits for the locks that it waits for at all for as long as it takes."""
    with connected(shared_index.owner) as owner:
        [definition] = owner.execute(DEFINITION).fetchone() or ("",)
        owner.execute("ALTER FUNCTION bucketwise.keep_answer SET lock_timeout = '1min'")
        yield
        owner.execute(definition.encode())


class Failing(Pausing):
    """What was stopped is rolled back when it is let go."""

    def rolled_back(self) -> None:
        assert self._connection is not None
        self._connection.pgconn.finish()


@pytest.fixture
def changing(shared_index: IndexDatabase) -> Iterator[Failing]:
    database = Failing(shared_index.ingest)
    yield database
    database.let_go.set()
    database.close()


@pytest.fixture
def keeping(shared_index: IndexDatabase) -> Iterator[Pausing]:
    database = Pausing(shared_index.ask)
    yield database
    database.let_go.set()
    database.close()


def test_the_answer_is_there_until_the_change_is_committed_and_not_after(
    cached: CachedTenant, changing: Pausing
) -> None:
    cached.keep("a.txt", "b.txt")
    buries = cached.on(ingest=changing)
    under = cached.tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        buried = begin(pool, changing, lambda: buries.tenant.bury(claim=under))
        assert (cached.answer(), cached.rows) == (ANSWER, [ANSWER])
        changing.let_go.set()
        assert buried.result(PATIENCE)
    assert (cached.answer(), cached.rows, cached.sources) == (None, [], set())


@pytest.mark.parametrize("version", ["v1", None])
def test_a_change_that_comes_while_an_answer_is_kept_waits_and_removes_it(
    cached: CachedTenant, keeping: Pausing, shared_index: IndexDatabase, version: str | None
) -> None:
    cached.tenant.store("one", version=version)
    keeps = cached.on(ask=keeping)
    found_in = cached.tenant.version
    with ThreadPoolExecutor(2) as pool:
        kept = begin(pool, keeping, lambda: keeps.keep("b.txt", ("a.txt", version), found_in=found_in))
        stored = pool.submit(cached.tenant.store, "new", version=version)
        wait_until_blocked(shared_index)
        keeping.let_go.set()
        kept.result(PATIENCE)
        assert stored.result(PATIENCE)
    assert (cached.answer(), cached.rows) == (None, [])


@pytest.mark.usefixtures("nothing_fails", "patient")
@pytest.mark.parametrize("version", ["v1", None])
def test_an_answer_that_comes_while_a_document_is_changed_is_not_kept_and_does_not_wait(
    cached: CachedTenant, changing: Pausing, version: str | None
) -> None:
    cached.tenant.store("one", version=version)
    cached.tenant.embed("new")
    buries = cached.on(ingest=changing)
    found_in, under = cached.tenant.version, cached.tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        stored = begin(pool, changing, lambda: buries.tenant.put("new", version=version, claim=under))
        cached.keep("b.txt", ("a.txt", version), found_in=found_in)
        assert cached.rows == []
        changing.let_go.set()
        assert stored.result(PATIENCE)
    cached.keep("b.txt", ("a.txt", version), found_in=found_in)
    assert cached.rows == []


@pytest.mark.usefixtures("nothing_fails")
def test_an_answer_that_takes_the_place_of_one_that_is_being_removed_is_not_kept_and_does_not_wait_for_long(
    cached: CachedTenant, changing: Pausing
) -> None:
    cached.keep("a.txt")
    buries = cached.on(ingest=changing)
    under = cached.tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        buried = begin(pool, changing, lambda: buries.tenant.bury(claim=under))
        cached.keep("b.txt", answer={"text": "later"})
        assert cached.answer() == ANSWER
        changing.let_go.set()
        assert buried.result(PATIENCE)
    assert cached.rows == []


@pytest.mark.usefixtures("nothing_fails", "patient")
def test_of_two_who_keep_the_same_answer_the_second_lets_the_first_be(
    cached: CachedTenant, keeping: Pausing, shared_index: IndexDatabase
) -> None:
    first = cached.on(ask=keeping)
    found_in = cached.tenant.version
    with ThreadPoolExecutor(2) as pool:
        kept = begin(pool, keeping, lambda: first.keep("a.txt", found_in=found_in, answer={"text": "first"}))
        again = pool.submit(cached.keep, "a.txt", found_in=found_in, answer={"text": "second"})
        wait_until_blocked(shared_index)
        keeping.let_go.set()
        kept.result(PATIENCE)
        again.result(PATIENCE)
    assert cached.rows == [{"text": "first"}]
    cached.keep("b.txt", answer={"text": "third"})
    assert (cached.rows, cached.sources) == ([{"text": "third"}], {"b.txt"})


@pytest.mark.parametrize("commits", [True, False])
def test_of_two_documents_of_one_answer_the_second_removes_it_whether_the_first_commits_or_not(
    cached: CachedTenant, changing: Failing, shared_index: IndexDatabase, commits: bool
) -> None:
    cached.keep("a.txt", "b.txt")
    buries = cached.on(ingest=changing)
    under = cached.tenant.claim()
    with ThreadPoolExecutor(2) as pool:
        first = begin(pool, changing, lambda: buries.tenant.bury(claim=under))
        second = pool.submit(cached.tenant.bury, "b.txt")
        wait_until_blocked(shared_index)
        if not commits:
            changing.rolled_back()
        assert second.result(PATIENCE) if not commits else not second.done()
        if not commits:
            assert (cached.rows, cached.tenant.texts()) == ([], ["one"])
        changing.let_go.set()
        assert first.result(PATIENCE)
        assert second.result(PATIENCE)
    assert (cached.rows, cached.sources) == ([], set())


def test_a_change_of_a_document_that_no_answer_shares_with_another_waits_for_none(
    cached: CachedTenant, changing: Pausing
) -> None:
    cached.keep("a.txt")
    cached.keep("b.txt", fingerprint="g")
    buries = cached.on(ingest=changing)
    under = cached.tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        buried = begin(pool, changing, lambda: buries.tenant.bury(claim=under))
        assert cached.tenant.bury("b.txt")
        assert cached.rows == [ANSWER]
        changing.let_go.set()
        assert buried.result(PATIENCE)


def test_a_collection_waits_for_no_change(cached: CachedTenant, changing: Pausing) -> None:
    cached.keep("a.txt")
    cached.keep("b.txt", fingerprint="g")
    cached.grow_old("cached_answers", 4000)
    collects = CachedAnswers(cached.tenant.index.database, cached.name, seconds=3600)
    buries = cached.on(ingest=changing)
    under = cached.tenant.claim()
    with ThreadPoolExecutor(1) as pool:
        buried = begin(pool, changing, lambda: buries.tenant.bury(claim=under))
        assert collects.collect(deadline=Deadline.after(PATIENCE)) == 1
        changing.let_go.set()
        assert buried.result(PATIENCE)
    assert cached.rows == []
