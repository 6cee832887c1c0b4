"""What the cache holds in vain is cleared away, and nothing else."""

from collections.abc import Iterator

import pytest

from ask.answer_cache import KeptVector
from bucketwise.index_kind import IndexKind
from ingest import cached_answers
from ingest.cached_answers import CachedAnswers
from tests.integration.cached_tenant import KIND, CachedTenant, cached_tenant
from tests.integration.index_database import IndexDatabase
from tests.unit.ingest_fakes import SOON

VECTOR = [1.0, 0, 0, 0, 0, 0, 0, 0]
DAY = 86_400


@pytest.fixture
def tenants(shared_index: IndexDatabase) -> Iterator[tuple[CachedTenant, CachedTenant]]:
    with cached_tenant(shared_index) as first:
        yield first, first.another()


@pytest.fixture
def cached(tenants: tuple[CachedTenant, CachedTenant]) -> CachedTenant:
    return tenants[0]


def collect(cached: CachedTenant, seconds: int = 3600) -> int:
    return CachedAnswers(cached.tenant.index.database, cached.name, seconds).collect(deadline=SOON)


def keep_vector(cached: CachedTenant, question: str, kind: IndexKind = KIND) -> None:
    cached.cache.keep(None, KeptVector(question, kind, VECTOR, 5), deadline=SOON)


def vectors(cached: CachedTenant) -> int:
    query = "SELECT count(*) FROM bucketwise.cached_questions WHERE tenant = %s"
    return cached.tenant.database.count(query, cached.name)


def test_answers_that_are_too_old_go(tenants: tuple[CachedTenant, CachedTenant]) -> None:
    for each in tenants:
        each.keep(answer={"text": "old"})
        each.grow_old("cached_answers", 4000)
        each.keep(fingerprint="g", answer={"text": "young"})
    cached, other = tenants
    assert collect(cached) == 1
    assert (cached.rows, len(other.rows)) == ([{"text": "young"}], 2)


def test_answers_of_an_earlier_corpus_version_go_with_their_sources(cached: CachedTenant) -> None:
    cached.tenant.store("one")
    cached.keep("a.txt")
    cached.tenant.store("two", key="b.txt")
    cached.keep("b.txt", fingerprint="g", answer={"text": "young"})
    assert collect(cached) == 1
    assert (cached.rows, cached.sources) == ([{"text": "young"}], {"b.txt"})


def test_vectors_of_questions_go_after_a_month_and_when_their_kind_is_not_live(
    tenants: tuple[CachedTenant, CachedTenant],
) -> None:
    for each in tenants:
        keep_vector(each, "old")
        each.grow_old("cached_questions", 30 * DAY)
        keep_vector(each, "not quite")
        each.grow_old("cached_questions", 29 * DAY)
        keep_vector(each, "of another model", IndexKind("another", 8))
        keep_vector(each, "of another size", IndexKind(KIND.embedding_model, 4))
    cached, other = tenants
    assert collect(cached) == 3
    assert cached.look_up(question="not quite").vector == VECTOR
    assert (vectors(cached), vectors(other)) == (1, 4)


def test_with_the_cache_off_all_goes(cached: CachedTenant) -> None:
    cached.keep()
    keep_vector(cached, "young")
    assert collect(cached, seconds=0) == 2
    assert (cached.rows, vectors(cached)) == ([], 0)


def test_batch_by_batch_all_is_looked_at(cached: CachedTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_answers, "BATCH", 2)
    for number in range(7):
        cached.keep(fingerprint=str(number))
        keep_vector(cached, str(number))
    cached.grow_old("cached_answers", 4000)
    cached.grow_old("cached_questions", 31 * DAY)
    cached.keep(fingerprint="3")
    assert collect(cached) == 13
    assert (len(cached.rows), vectors(cached)) == (1, 0)
