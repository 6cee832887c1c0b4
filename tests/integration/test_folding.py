"""Corpus changes are folded into one row, and whoever reads the corpus version does not notice."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import pytest
from psycopg import Connection

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from ingest.index import DocumentIndex
from ingest.postings import SLICES, Postings
from tests.integration.index_database import IndexDatabase, connected, opened, settings_for
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON

T = TypeVar("T")


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


LISTS = """
    SELECT term, level, sum(chunks), array_agg(entries ORDER BY entries) FROM bucketwise.postings
    WHERE tenant = %s GROUP BY term, level ORDER BY term"""


def test_a_small_tenants_lists_are_folded_at_once_to_what_slices_make_of_them(
    tenant: Tenant, postings: Postings
) -> None:
    def lists() -> list[tuple[object, ...]]:
        with connected(tenant.database.superuser) as connection:
            return connection.execute(LISTS, (tenant.index.tenant,)).fetchall()

    def folded(few: int) -> tuple[int, list[tuple[object, ...]]]:
        for number in range(5):
            tenant.store(f"text {number} of five", key=f"{number}.txt", version=f"v{few}")
        statements = Counted(tenant.database.ingest)
        assert replace(postings, few=few, database=statements).fold_all(deadline=SOON)
        statements.close()
        return statements.runs, lists()

    sliced, at_once = folded(1), folded(10_000)
    assert (sliced[0], at_once[0]) == (1 + SLICES, 2)
    assert sliced[1] == at_once[1] != []
    assert {level for _, level, *_ in at_once[1]} == {3}


class Counted(Database):
    """Counts what is run on it."""

    def __init__(self, url: str) -> None:
        super().__init__(lambda deadline: connect(settings_for(url), deadline))
        self.runs = 0

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        self.runs += 1
        return super().run(work, deadline=deadline)
