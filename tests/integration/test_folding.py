"""Corpus changes are folded into one row, and whoever reads the corpus version does not notice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from ingest.index import DocumentIndex
from ingest.postings import Postings
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


@pytest.fixture
def postings(tenant: Tenant) -> Postings:
    return Postings(tenant.index.database, tenant.index.tenant)


def rows(tenant: Tenant) -> int:
    return tenant.database.count(
        "SELECT count(*) FROM bucketwise.corpus_changes WHERE tenant = %s", tenant.index.tenant
    )


def test_folding_leaves_one_row_and_the_same_corpus_version(tenant: Tenant, postings: Postings) -> None:
    postings.fold_sums(deadline=SOON)
    assert (tenant.version, rows(tenant)) == (0, 0)
    for number in range(5):
        tenant.store(f"text {number}", version=f"v{number}")
    for _ in range(2):
        postings.fold_sums(deadline=SOON)
        assert (tenant.version, rows(tenant)) == (5, 1)


def test_the_corpus_version_is_exact_and_never_goes_back_while_it_is_folded(
    shared_index: IndexDatabase, tenant: Tenant, postings: Postings
) -> None:
    commits, seen = 40, [0]

    def change(worker: int) -> None:
        with opened(shared_index.ingest) as database:
            mine = Tenant(replace(tenant.index, database=database), shared_index)
            for number in range(commits):
                mine.store(f"text {number}", key=f"{worker}.txt", version=f"v{number}")

    def fold() -> None:
        with opened(shared_index.ingest) as database:
            folding = replace(postings, database=database)
            while not all(one.done() for one in changing):
                folding.fold_sums(deadline=SOON)

    with ThreadPoolExecutor(4) as pool, connected(shared_index.ask) as reader:
        changing = [pool.submit(change, worker) for worker in range(2)]
        folds = [pool.submit(fold) for _ in range(2)]
        while not all(one.done() for one in folds):
            [version] = reader.execute("SELECT bucketwise.corpus_version(%s)", (tenant.index.tenant,)).fetchone() or [0]
            seen.append(version)
        for one in (*changing, *folds):
            one.result()
    assert seen == sorted(seen)
    assert tenant.version == 2 * commits
    postings.fold_sums(deadline=SOON)
    assert rows(tenant) == 1
