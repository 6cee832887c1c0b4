"""Vectors are kept by their text's digest, once a tenant; tenants do not meet; any text survives the way in."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from bucketwise.errors import EmbeddingMissing
from ingest.index import DocumentIndex
from ingest.receipts import EmbeddingReceipt
from ingest.vectors import text_digest
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON, Listed, chunks_of, document_of, facts

WORKERS = 4
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
ODD = [
    "plain",
    "tab\tand\\backslash \\N \\. \\t",
    "\\N",
    "\\.",
    "line\nfeed\r\nand return",
    "'single' \"double\" $$dollar$$ %s {} ; --",
    "emoji 🚂👩‍👩‍👧 and ﷽",
    "日本語 ไทย עברית",
    "e\u0301 against é",
    "\u00a0\u200b\u2028",
    "\x01\x1f\x7f",
    " leading and trailing ",
]


@pytest.fixture
def tenants(shared_index: IndexDatabase) -> Iterator[tuple[Tenant, Tenant]]:
    with opened(shared_index.ingest) as database:
        first, second = (Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index) for _ in range(2))
        yield first, second


@pytest.fixture
def tenant(tenants: tuple[Tenant, Tenant]) -> Tenant:
    return tenants[0]


def known(tenant: Tenant, *texts: str) -> set[str]:
    found = tenant.table.known_texts([text_digest(text) for text in texts], deadline=SOON)
    return {text for text in texts if text_digest(text) in found}


def test_only_texts_that_were_embedded_are_known(tenant: Tenant) -> None:
    tenant.embed("one", "two")
    assert known(tenant, "one", "two", "three") == {"one", "two"}
    assert known(tenant) == set()


def test_the_same_text_in_two_documents_has_one_vector(tenant: Tenant) -> None:
    tenant.store("same", "other")
    tenant.store("same", "same", key="b.txt")
    assert tenant.vectors == 2
    assert (tenant.texts(), tenant.texts("b.txt")) == (["same", "other"], ["same", "same"])


def test_a_vector_that_is_there_stays_as_it_is(tenant: Tenant) -> None:
    digest = text_digest("one")
    for first in (1.0, 2.0):
        tenant.table.add_embeddings({digest: [first, 0, 0, 0, 0, 0, 0, 0]}, deadline=SOON)
    with connected(tenant.database.superuser) as connection:
        rows = connection.execute(
            "SELECT embedding::text FROM bucketwise.embeddings WHERE tenant = %s", (tenant.index.tenant,)
        ).fetchall()
    assert rows == [("[1,0,0,0,0,0,0,0]",)]


def test_vectors_outlive_the_chunks_so_that_a_version_that_comes_back_costs_nothing(tenant: Tenant) -> None:
    tenant.store("one")
    tenant.bury()
    assert known(tenant, "one") == {"one"}


def test_tenants_have_rows_of_their_own_for_the_same_key_and_text(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    first.store("same")
    assert known(second, "same") == set()
    assert second.held() is None
    assert not second.confirm()
    second.store("same", "more")
    assert (first.texts(), second.texts()) == (["same"], ["same", "more"])
    assert (first.version, second.version) == (1, 1)


def test_what_one_tenant_removes_the_other_keeps(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    for tenant in tenants:
        tenant.store("same")
    first.bury()
    assert (first.texts(), second.texts()) == ([], ["same"])
    assert (first.version, second.version) == (2, 1)


def test_a_document_cannot_lean_on_the_vector_of_another_tenant(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    first.embed("same")
    with pytest.raises(EmbeddingMissing):
        second.put("same")


def test_workers_with_the_same_texts_in_other_orders_do_not_deadlock(shared_index: IndexDatabase) -> None:
    name, rounds = uuid4().hex, 25
    start = threading.Barrier(WORKERS)

    def work(number: int) -> None:
        shuffled = random.Random(number)  # noqa: S311  # an order, not a secret
        with opened(shared_index.ingest) as database:
            index = DocumentIndex(database, name, "code 1")
            for turn in range(rounds):
                texts = [f"{turn} {n}" for n in range(30)]
                shuffled.shuffle(texts)
                start.wait(timeout=20)
                Tenant(index, shared_index).embed(*texts)

    before = shared_index.count(DEADLOCKS)
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work, number) for number in range(WORKERS)]:
            done.result()
    assert shared_index.count("SELECT count(*) FROM bucketwise.embeddings WHERE tenant = %s", name) == 30 * rounds
    assert shared_index.count(DEADLOCKS) == before


def test_documents_of_one_tenant_that_share_texts_are_committed_at_once_without_a_deadlock(
    shared_index: IndexDatabase,
) -> None:
    name, rounds = uuid4().hex, 25
    texts = [f"shared {n}" for n in range(20)]
    start = threading.Barrier(WORKERS)

    def work(number: int) -> None:
        order = texts if number % 2 else texts[::-1]
        with opened(shared_index.ingest) as database:
            tenant = Tenant(DocumentIndex(database, name, "code 1"), shared_index)
            for _ in range(rounds):
                start.wait(timeout=20)
                tenant.store(*order, key=f"{number}.txt")

    before = shared_index.count(DEADLOCKS)
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work, number) for number in range(WORKERS)]:
            done.result()
    assert shared_index.count("SELECT bucketwise.corpus_version(%s)", name) == WORKERS * rounds
    assert shared_index.count(DEADLOCKS) == before


def test_odd_characters_survive(tenant: Tenant) -> None:
    for text in ODD:
        tenant.store(text, key=text)
        assert tenant.texts(text) == [text]
    tenant.store(*ODD)
    assert tenant.texts() == ODD


def test_odd_characters_survive_in_titles_types_headings_and_metadata(tenant: Tenant) -> None:
    odd = " ".join(ODD)
    tenant.embed("text")
    claim = tenant.index.claim(deadline=SOON)
    given = facts(content_type=odd, metadata={odd: odd})
    receipt = EmbeddingReceipt(embedded=1)
    chunks = Listed(chunks_of("text", heading=(odd, "below")))
    assert tenant.index.replace(given, document_of("text", title=odd), chunks, receipt, claim, deadline=SOON)
    with connected(tenant.database.superuser) as connection:
        row = connection.execute(
            """SELECT title, content_type, metadata, context, marks
               FROM bucketwise.documents JOIN bucketwise.chunks USING (tenant, key) WHERE tenant = %s""",
            (tenant.index.tenant,),
        ).fetchone()
    marks = [{"start": 0, "heading": [odd, "below"]}]
    assert row == (odd, odd, {odd: odd}, f"{odd}\na txt\nbelow", marks)
