"""Workers that were lost over a version are counted, and no others."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest

from bucketwise.database import connect
from bucketwise.deadline import Deadline
from bucketwise.models import Chunk
from ingest.bucket import ObjectFacts
from ingest.index import DocumentIndex
from ingest.receipts import EmbeddingReceipt
from tests.integration.index_database import IndexDatabase, connected, opened, settings_for
from tests.integration.indexed_documents import Held, LosesOneReply, Tenant
from tests.unit.ingest_fakes import MODIFIED, SOON, Listed, chunks_of, document_of, facts

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


def begin(
    tenant: Tenant, *, claim: int | None = None, ended: int | None = None, given: ObjectFacts | None = None
) -> int:
    """How many workers the version has cost so far."""
    under = claim if claim is not None else tenant.claim()
    return tenant.index.begin_attempt(given or facts(), under, ended=ended, deadline=SOON).lost


def lose(tenant: Tenant, given: ObjectFacts | None = None) -> int:
    """The claim of a worker that began, was lost, and whose time is over."""
    claim = tenant.claim()
    begin(tenant, claim=claim, given=given)
    with connected(tenant.database.superuser) as connection:
        connection.execute(
            """UPDATE bucketwise.attempts SET over_by = clock_timestamp() - interval '1 second'
               WHERE tenant = %s AND claim = %s""",
            (tenant.index.tenant, claim),
        )
    return claim


def test_workers_that_were_lost_are_counted(tenant: Tenant) -> None:
    assert begin(tenant) == 0
    for expected in (1, 2, 3):
        lose(tenant)
        assert begin(tenant) == expected


def test_workers_that_may_still_be_at_work_are_not_counted(tenant: Tenant) -> None:
    assert [begin(tenant) for _ in range(5)] == [0] * 5
    assert len(tenant.attempts()) == 5


def test_a_worker_is_over_some_seconds_after_its_deadline_and_not_before(tenant: Tenant) -> None:
    tenant.index.begin_attempt(facts(), tenant.claim(), ended=None, deadline=Deadline.after(60))
    left = tenant.database.count(
        "SELECT extract(epoch FROM over_by - clock_timestamp()) FROM bucketwise.attempts WHERE tenant = %s",
        tenant.index.tenant,
    )
    assert 60 <= left <= 70


def test_an_attempt_that_ended_in_order_is_not_counted_and_its_note_is_removed(tenant: Tenant) -> None:
    ended, lost = lose(tenant), lose(tenant)
    assert begin(tenant, ended=ended) == 1
    assert begin(tenant) == 1
    assert ended not in tenant.attempts()
    assert lost in tenant.attempts()


def test_an_attempt_of_another_object_cannot_be_ended(tenant: Tenant) -> None:
    other = lose(tenant, facts("b.txt"))
    begin(tenant, ended=other)
    assert begin(tenant, given=facts("b.txt")) == 1


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (facts(version="v1"), facts(version="v2")),
        (facts(version=None), replace(facts(version=None), etag="other")),
        (facts(version=None), replace(facts(version=None), last_modified=MODIFIED + timedelta(seconds=1))),
        (facts("a.txt"), facts("b.txt")),
    ],
    ids=["version", "etag", "time", "key"],
)
def test_each_version_has_a_count_of_its_own(tenant: Tenant, one: ObjectFacts, another: ObjectFacts) -> None:
    lose(tenant, one)
    assert begin(tenant, given=another) == 0
    assert begin(tenant, given=one) == 1


def test_tenants_have_counts_of_their_own(tenant: Tenant) -> None:
    lose(tenant)
    other = Tenant(replace(tenant.index, tenant=uuid4().hex), tenant.database)
    assert begin(other) == 0


def test_after_a_commit_the_count_begins_anew(tenant: Tenant) -> None:
    lose(tenant)
    tenant.store("one")
    assert begin(tenant) == 0


def test_an_attempt_whose_acknowledgement_was_lost_is_noted_once(shared_index: IndexDatabase) -> None:
    database = LosesOneReply(lambda deadline: connect(settings_for(shared_index.ingest), deadline))
    tenant = Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)
    lost, ended, claim = lose(tenant), lose(tenant), tenant.claim()
    database.armed = True
    assert begin(tenant, claim=claim, ended=ended) == 1
    assert not database.armed
    assert tenant.attempts() == {lost, claim}
    database.close()


def test_attempts_of_one_object_that_begin_and_end_at_once_are_not_mixed_up(shared_index: IndexDatabase) -> None:
    name, workers = uuid4().hex, 4

    def work(_: int) -> list[int]:
        with opened(shared_index.ingest) as database:
            tenant = Tenant(DocumentIndex(database, name, "code 1"), shared_index)
            ended: int | None = None
            counts = []
            for _ in range(20):
                claim = tenant.claim()
                counts.append(begin(tenant, claim=claim, ended=ended))
                ended = claim
            return counts

    with ThreadPoolExecutor(workers) as pool:
        counts = list(pool.map(work, range(workers)))
    assert counts == [[0] * 20] * workers
    assert shared_index.count("SELECT count(*) FROM bucketwise.attempts WHERE tenant = %s", name) == workers


@dataclass(frozen=True)
class SlowChunks(Listed):
    """Are read when they may be, but for the first time, when their language is told."""

    times: Iterator[int] = field(default_factory=count)
    reading: threading.Event = field(default_factory=threading.Event)
    may_be_read: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[Chunk]:
        if next(self.times) > 0:
            self.reading.set()
            assert self.may_be_read.wait(timeout=20)
        return iter(self.chunks)


def test_a_confirmation_waits_for_a_swap_under_way_and_then_sees_what_it_left(
    tenant: Tenant, shared_index: IndexDatabase
) -> None:
    tenant.store("older", version="v0")
    tenant.embed("one")
    begin(tenant)
    claim, later = tenant.claim(), tenant.claim()
    chunks = SlowChunks(chunks_of("one"))
    parts = facts(), document_of("one"), chunks, EmbeddingReceipt(embedded=1), claim
    before = shared_index.count(DEADLOCKS)
    with opened(shared_index.ingest) as database, ThreadPoolExecutor(2) as pool:
        other = Tenant(replace(tenant.index, database=database), shared_index)
        swap = pool.submit(tenant.index.replace, *parts, deadline=SOON)
        assert chunks.reading.wait(timeout=20)
        confirmation = pool.submit(other.confirm, claim=later)
        time.sleep(0.3)  # in which it comes to wait
        assert not confirmation.done()
        chunks.may_be_read.set()
        assert swap.result() is not None
        assert confirmation.result()
    assert tenant.held() == Held("indexed", "v1", later, ["one"])
    assert tenant.attempts() == set()
    assert shared_index.count(DEADLOCKS) == before
