"""Two workers look at one key while its tenant changes, in every order of their steps: the fence holds across tenants.

A worker claims, removes the key from other tenants, reads, and commits, as the pipeline does; the unit tests of the
pipeline see that it does so in this order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pytest

from bucketwise.database import Database
from ingest.differences import Expected, ListedObject, difference, side_by_side
from ingest.index import DocumentIndex
from ingest.inventory import Inventory
from ingest.protocol import Decisions, Held
from ingest.receipts import EmbeddingReceipt
from ingest.strays import Strays
from ingest.tenants import Tenancy
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import MODIFIED, SOON, Listed, chunks_of, document_of, facts

ALL, FOLDERS = Tenancy("default"), Tenancy("default", folders=True)
CODE = "code 1"
OF_FIRST, OF_SECOND = 4, 5  # steps; before the second one looks, a new version is stored
ORDERS = list(combinations(range(OF_FIRST + OF_SECOND), OF_FIRST))
ROWS = "SELECT tenant, version FROM bucketwise.documents WHERE key = %s AND state <> 'deleted' ORDER BY tenant"


@dataclass
class Case:
    """One key; ``version`` is what the bucket holds under it, ``claims`` are those of the two workers."""

    key: str
    version: str
    claims: dict[int, int]


@dataclass(frozen=True)
class Place:
    database: Database
    viewed: IndexDatabase
    decisions: Decisions

    def index(self, tenancy: Tenancy, key: str) -> DocumentIndex:
        tenant = tenancy.owner(key).tenant
        return DocumentIndex(self.database, tenant, CODE, self.decisions, home=tenancy.default)

    def look(self, case: Case, worker: int, tenancy: Tenancy) -> Iterator[None]:
        """A step is what happens until the next ``yield``."""
        index = self.index(tenancy, case.key)
        if worker == 1:
            case.version = "v2"
            yield
        claim = case.claims[worker] = index.claim(deadline=SOON)
        yield
        Strays(index, tenancy).remove(case.key, claim, deadline=SOON)
        yield
        seen = facts(case.key, case.version)
        yield
        Tenant(index, self.viewed).embed(case.version)
        document, chunks = document_of(case.version), Listed(chunks_of(case.version))
        index.replace(seen, document, chunks, EmbeddingReceipt(embedded=1), claim, deadline=SOON)
        yield

    def play(self, number: int, settings: tuple[Tenancy, Tenancy], *, known: bool) -> Case:
        """Both looks, in one order of their steps. ``known``: TENANT has the document from before."""
        case = Case(f"acme/{settings[0].folders}-{settings[1].folders}-{known}-{number}.txt", "v1", {})
        if known:
            list(self.look(case, 0, ALL))
        looks = [self.look(case, worker, tenancy) for worker, tenancy in enumerate(settings)]
        for step in range(OF_FIRST + OF_SECOND):
            next(looks[0 if step in ORDERS[number] else 1])
        return case

    def held(self, key: str) -> list[tuple[str, str]]:
        with connected(self.viewed.superuser) as connection:
            return [(tenant, version) for tenant, version in connection.execute(ROWS, (key,))]

    def compare(self, cases: list[Case], tenancy: Tenancy) -> set[str]:
        """The keys that a comparison of the bucket with the index has looked at again."""
        listing = (
            ListedObject(case.key, case.version, f"etag of {case.version}", 5, MODIFIED)
            for case in sorted(cases, key=lambda case: case.key)
        )
        pairs = side_by_side(listing, Inventory(self.database, tenancy).held(after="", deadline=SOON))
        expected = Expected(CODE, tenancy, told_until=MODIFIED)
        return {found.key for pair in pairs if (found := difference(pair, expected)) is not None}


@pytest.fixture
def place(index_database: IndexDatabase) -> Iterator[Place]:
    with opened(index_database.ingest) as database:
        yield Place(database, index_database, Decisions())


@pytest.mark.parametrize("known", [True, False])
def test_workers_of_the_same_settings_need_no_comparison(place: Place, known: bool) -> None:
    for number in range(len(ORDERS)):
        case = place.play(number, (FOLDERS, FOLDERS), known=known)
        assert place.held(case.key) == [("acme", "v2")], ORDERS[number]


def test_a_worker_of_the_settings_before_cannot_bring_back_what_was_moved(place: Place) -> None:
    """If its claim is the lower one: what it read, it read before."""
    earlier = 0
    for number in range(len(ORDERS)):
        case = place.play(number, (ALL, FOLDERS), known=True)
        if case.claims[0] < case.claims[1]:
            assert place.held(case.key) == [("acme", "v2")], ORDERS[number]
            earlier += 1
    assert earlier > 50


@pytest.mark.parametrize(("first", "second"), [(ALL, FOLDERS), (FOLDERS, ALL), (FOLDERS, FOLDERS)])
@pytest.mark.parametrize("known", [True, False])
def test_whatever_workers_of_the_settings_before_did_a_comparison_repairs(
    place: Place, first: Tenancy, second: Tenancy, known: bool
) -> None:
    cases = [place.play(number, (first, second), known=known) for number in range(0, len(ORDERS), 2)]
    for now in (FOLDERS, ALL, FOLDERS):
        differing = place.compare(cases, now)
        for case in cases:
            if case.key in differing:
                list(place.look(case, 0, now))
            assert place.held(case.key) == [(now.owner(case.key).tenant, "v2")]
        assert place.compare(cases, now) == set()


def no_fence(_held: Held, _claim: int) -> bool:
    return True


@pytest.mark.parametrize("settings", [(ALL, FOLDERS), (FOLDERS, FOLDERS)])
def test_without_the_fence_some_order_ends_wrong(
    index_database: IndexDatabase, settings: tuple[Tenancy, Tenancy]
) -> None:
    with opened(index_database.ingest) as database:
        place = Place(database, index_database, Decisions(may_commit=no_fence))
        ends = []
        for number in range(len(ORDERS)):
            case = place.play(number, settings, known=True)
            if case.claims[0] < case.claims[1]:
                ends.append(place.held(case.key))
    assert any(end != [("acme", "v2")] for end in ends)
