"""What the API shows of each object, read from the index by the role of ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from ask.document_schemas import DocumentOut
from ask.documents import PAGE, Documents, ListedState
from bucketwise.errors import UnknownDocument
from ingest.index import DocumentIndex
from ingest.vectors import text_digest
from tests.integration.index_database import IndexDatabase, connected, opened
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON


@dataclass(frozen=True, slots=True)
class Shown:
    """A tenant's index as ingest writes it, and as the API shows it."""

    tenant: Tenant
    documents: Documents

    def one(self, key: str = "a.txt") -> dict[str, Any]:
        [row] = self.documents.get(key, deadline=SOON).documents
        return row

    def keys(self, **filters: Any) -> list[str]:
        return [row["key"] for row in self.documents.page(**filters, deadline=SOON).documents]

    def states(self, **filters: Any) -> dict[str, str]:
        return {row["key"]: row["state"] for row in self.documents.page(**filters, deadline=SOON).documents}

    def stored(self, key: str = "a.txt") -> tuple[int, int]:
        row = self.one(key)
        return row["chunks_stored"], row["vectors_stored"]

    def wait(self, key: str, tries: int = 1, reason: str = "model_unavailable", seconds: float = 5.0) -> None:
        self.tenant.index.postpone(key, tries=tries, reason=reason, seconds=seconds, deadline=SOON)

    def execute(self, query: str, *parameters: object) -> None:
        with connected(self.tenant.database.superuser) as connection:
            connection.execute(query.encode(), (self.tenant.index.tenant, *parameters))

    def collect(self, text: str) -> None:
        self.execute("DELETE FROM bucketwise.embeddings WHERE tenant = %s AND text_sha256 = %s", text_digest(text))

    def leave_placeholder(self, key: str) -> None:
        self.execute("INSERT INTO bucketwise.documents (tenant, key, claim, state) VALUES (%s, %s, 0, 'deleted')", key)


@pytest.fixture
def shown(shared_index: IndexDatabase) -> Iterator[Shown]:
    """A tenant that has nothing yet."""
    name = uuid4().hex
    with opened(shared_index.ingest) as written, opened(shared_index.ask) as read:
        yield Shown(Tenant(DocumentIndex(written, name, "code 1"), shared_index), Documents(read, name))


def test_an_indexed_document_is_shown_with_its_receipt(shown: Shown) -> None:
    shown.tenant.store("one", "two")
    row = shown.one()
    assert (row["state"], row["version"], row["reason"], row["waiting"]) == ("indexed", "v1", None, None)
    assert (row["chunks"], row["tokens"], row["embedded"], row["embedding_tokens"]) == (2, 6, 2, 9)
    assert (row["cost_usd"], row["seconds_to_searchable"]) == (0.5, shown.tenant.seconds())
    assert DocumentOut.model_validate(row)


@pytest.mark.parametrize("prepare", [Tenant.fail, Tenant.bury], ids=["failed", "deleted"])
def test_every_row_fits_the_contract(prepare: Callable[[Tenant], bool], shown: Shown) -> None:
    prepare(shown.tenant)
    shown.wait("new.txt")
    found = shown.documents.page(deadline=SOON).documents
    assert [DocumentOut.model_validate(row).key for row in found] == ["a.txt", "new.txt"]


def test_a_failed_document_says_why(shown: Shown) -> None:
    shown.tenant.fail()
    row = shown.one()
    assert (row["state"], row["reason"], row["hint"]) == ("failed", "corrupt", "The file is damaged.")
    assert shown.stored() == (0, 0)


def test_an_object_that_was_not_looked_at_yet_is_queued(shown: Shown) -> None:
    shown.wait("new.txt", tries=3, reason="database_unavailable", seconds=60)
    row = shown.one("new.txt")
    assert (row["state"], row["version"], row["chunks"], row["metadata"]) == ("queued", None, 0, {})
    assert (row["waiting"]["tries"], row["waiting"]["reason"]) == (3, "database_unavailable")
    waiting = DocumentOut.model_validate(row).waiting
    assert waiting is not None
    assert 59 <= (waiting.next_try - waiting.since).total_seconds() <= 61


def test_a_document_whose_newer_version_waits_keeps_its_state_meanwhile(shown: Shown) -> None:
    shown.tenant.store("one")
    shown.wait("a.txt", tries=2)
    assert (shown.one()["state"], shown.one()["waiting"]["tries"]) == ("indexed", 2)
    assert shown.states(state=ListedState.QUEUED) == {}
    shown.tenant.store("two", version="v2")
    assert shown.one()["waiting"] is None


def test_one_of_many_is_found_by_its_key(shown: Shown) -> None:
    for key in ("a.txt", "b.txt", "c.txt"):
        shown.wait(key)
        shown.tenant.store("one", key=f"indexed-{key}")
    assert shown.one("b.txt")["key"] == "b.txt"
    assert shown.one("indexed-b.txt")["key"] == "indexed-b.txt"


def test_what_nothing_is_known_of_is_not_found(shown: Shown) -> None:
    shown.leave_placeholder("a.txt")
    for key in ("a.txt", "nothing.txt", ""):
        with pytest.raises(UnknownDocument):
            shown.documents.get(key, deadline=SOON)
    assert shown.keys() == []


def test_a_row_that_nothing_was_committed_to_is_not_shown_but_what_waits_is(shown: Shown) -> None:
    shown.leave_placeholder("a.txt")
    shown.wait("a.txt")
    assert shown.states() == {"a.txt": "queued"}
    assert shown.states(state=ListedState.QUEUED) == {"a.txt": "queued"}
    assert shown.states(state=ListedState.DELETED) == {}


def test_each_state_is_listed_by_itself(shown: Shown) -> None:
    shown.tenant.store("one", key="indexed.txt")
    shown.tenant.fail(key="failed.txt")
    shown.tenant.bury(key="deleted.txt")
    shown.wait("queued.txt")
    assert {state: shown.keys(state=state) for state in ListedState} == {
        state: [f"{state}.txt"] for state in ListedState
    }
    assert len(shown.states()) == 4


def test_documents_and_what_waits_are_listed_together_in_the_order_of_their_bytes(shown: Shown) -> None:
    names = ["B", "a", "a/b", "a0", "z", "ä", "漢"]
    for number, name in enumerate(names):
        if number % 2:
            shown.tenant.fail(key=name)
        if number % 4 != 1:
            shown.wait(name)
    assert shown.keys() == sorted(names, key=str.encode)
    assert shown.keys(prefix="a") == ["a", "a/b", "a0"]
    assert shown.keys(after="a/b") == ["a0", "z", "ä", "漢"]


@pytest.mark.parametrize("state", [None, ListedState.QUEUED])
def test_every_key_is_on_one_page_only(state: ListedState | None, shown: Shown) -> None:
    indexed = {f"{number:04}" for number in range(0, 3 * PAGE, 2)}
    waiting = {f"{number:04}" for number in range(0, 3 * PAGE, 3)}
    shown.execute(
        """INSERT INTO bucketwise.documents (tenant, key, claim, state, version)
           SELECT %s, unnest(%s::text[]), 1, 'indexed', 'v1'""",
        list(indexed),
    )
    shown.execute(
        """INSERT INTO bucketwise.waiting (tenant, key, tries, reason, next_try)
           SELECT %s, unnest(%s::text[]), 1, 'too_slow', now()""",
        list(waiting),
    )
    listed: list[str] = []
    after: str | None = ""
    while after is not None:
        page = shown.documents.page(state=state, after=after, deadline=SOON)
        assert len(page.documents) <= PAGE
        listed += [row["key"] for row in page.documents]
        after = page.following
    assert listed == sorted(waiting - indexed if state else indexed | waiting)


def test_another_tenants_documents_are_not_shown(shown: Shown, shared_index: IndexDatabase) -> None:
    shown.tenant.store("one")
    shown.wait("b.txt")
    with opened(shared_index.ask) as read:
        other = Documents(read, "other")
        assert other.page(deadline=SOON).documents == []
        with pytest.raises(UnknownDocument):
            other.get("a.txt", deadline=SOON)


def test_a_page_says_which_corpus_version_it_shows_also_when_it_is_empty(shown: Shown) -> None:
    assert shown.documents.page(deadline=SOON).corpus_version == 0
    shown.tenant.store("one")
    assert shown.documents.page(deadline=SOON).corpus_version == 1
    assert shown.documents.get("a.txt", deadline=SOON).corpus_version == shown.tenant.version == 1


def test_a_deleted_document_proves_that_nothing_of_it_is_left(shown: Shown) -> None:
    shown.tenant.store("one", "two", "two")
    assert shown.stored() == (3, 2)
    shown.tenant.bury()
    assert (shown.one()["state"], shown.one()["chunks"], shown.one()["version"]) == ("deleted", 0, None)
    assert shown.one()["updated_at"] is not None
    assert shown.stored() == (0, 2)
    shown.collect("one")
    assert shown.stored() == (0, 1)
    shown.collect("two")
    assert shown.stored() == (0, 0)


def test_a_vector_that_another_document_needs_is_not_there_for_the_deleted_one(shown: Shown) -> None:
    shown.tenant.store("own", "shared")
    shown.tenant.store("shared", key="b.txt")
    assert (shown.stored(), shown.stored("b.txt")) == ((2, 2), (1, 1))
    shown.tenant.bury()
    assert (shown.stored(), shown.stored("b.txt")) == ((0, 1), (1, 1))
    shown.tenant.bury("b.txt")
    assert (shown.stored(), shown.stored("b.txt")) == ((0, 2), (0, 1))


def test_vectors_of_an_older_version_are_counted_until_they_are_collected(shown: Shown) -> None:
    shown.tenant.store("kept", "old")
    shown.tenant.store("kept", "new", version="v2")
    assert shown.stored() == (2, 3)
    shown.collect("old")
    assert shown.stored() == (2, 2)


def test_what_is_stored_is_counted_for_one_document_only(shown: Shown) -> None:
    shown.tenant.store("one")
    [row] = shown.documents.page(deadline=SOON).documents
    assert (row["chunks_stored"], row["vectors_stored"]) == (None, None)


def test_an_ask_function_of_the_version_before_is_not_shown_what_it_does_not_know(
    shown: Shown, shared_index: IndexDatabase
) -> None:
    shown.tenant.store("one")
    shown.wait("new.txt")
    with connected(shared_index.ask) as connection:
        rows = connection.execute(
            "SELECT key, state, updated_at FROM bucketwise.documents_page(%s, NULL, '', NULL, '', 10)",
            (shown.tenant.index.tenant,),
        ).fetchall()
    assert [row[:2] for row in rows] == [("a.txt", "indexed")]
