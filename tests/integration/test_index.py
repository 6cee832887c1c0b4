"""Commits to the index are fenced by their claims, whole for every reader, and kept apart by tenant."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from bucketwise.database import connect
from bucketwise.errors import EmbeddingMissing
from ingest.index import DocumentIndex
from ingest.protocol import Standing
from ingest.vectors import text_digest
from tests.integration.index_database import IndexDatabase, connected, opened, settings_for
from tests.integration.indexed_documents import Held, LosesOneReply, Tenant
from tests.unit.ingest_fakes import SOON, facts

KINDS = ("replace", "fail", "bury")


@pytest.fixture
def tenant(shared_index: IndexDatabase) -> Iterator[Tenant]:
    """A tenant that has nothing yet."""
    with opened(shared_index.ingest) as database:
        yield Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)


@pytest.fixture
def forgetful(shared_index: IndexDatabase) -> Iterator[tuple[LosesOneReply, Tenant]]:
    database = LosesOneReply(lambda deadline: connect(settings_for(shared_index.ingest), deadline))
    yield database, Tenant(DocumentIndex(database, uuid4().hex, "code 1"), shared_index)
    database.close()


def commit(tenant: Tenant, kind: str, key: str, claim: int, *, embedded: bool = False) -> bool:
    if kind == "replace":
        put = tenant.put if embedded else tenant.store
        return put(f"text {claim}", key=key, version=f"v{claim}", claim=claim)
    if kind == "fail":
        return tenant.fail(key, f"v{claim}", claim)
    return tenant.bury(key, claim)


def left_by(kind: str, claim: int) -> Held:
    return {
        "replace": Held("indexed", f"v{claim}", claim, [f"text {claim}"]),
        "fail": Held("failed", f"v{claim}", claim, []),
        "bury": Held("deleted", None, claim, []),
    }[kind]


def test_claims_rise_over_all_connections(tenant: Tenant, shared_index: IndexDatabase) -> None:
    with opened(shared_index.ingest) as database:
        other = DocumentIndex(database, "other", "code 1")
        claims = [one.claim(deadline=SOON) for _ in range(5) for one in (tenant.index, other)]
    assert claims == sorted(set(claims))


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_the_highest_claim_wins_in_whatever_order_commits_arrive(tenant: Tenant, order: tuple[int, ...]) -> None:
    for kinds in itertools.product(KINDS, repeat=3):
        key = "/".join(kinds)
        told = [commit(tenant, kinds[claim - 1], key, claim) for claim in order]
        assert told == [claim == max(order[: n + 1]) for n, claim in enumerate(order)]
        assert tenant.held(key) == left_by(kinds[2], 3)


def test_two_that_commit_one_document_at_once_leave_the_higher_claim(
    tenant: Tenant, shared_index: IndexDatabase
) -> None:
    tenant.embed("one", "two")
    with opened(shared_index.ingest) as database, ThreadPoolExecutor(2) as pool:
        other = Tenant(DocumentIndex(database, tenant.index.tenant, "code 1"), shared_index)
        for n in range(40):
            low, high = tenant.claim(), tenant.claim()
            pair = [(tenant, "one", low), (other, "two", high)]
            start = threading.Barrier(2)

            def race(worker: Tenant, text: str, claim: int, start: threading.Barrier = start) -> bool:
                start.wait()
                return worker.put(text, claim=claim, version=f"v{claim}")

            done = {one[2]: pool.submit(race, *one) for one in (pair if n % 2 else pair[::-1])}
            told = {claim: one.result() for claim, one in done.items()}
            assert told[high]
            assert tenant.held() == Held("indexed", f"v{high}", high, ["two"])


def test_a_document_keeps_what_a_list_of_documents_shows(tenant: Tenant) -> None:
    tenant.store("one", "two")
    with connected(tenant.database.superuser) as connection:
        row = connection.execute(
            """SELECT etag, size, content_type, title, fingerprint, chunks, tokens, embedded, embedding_tokens,
                      cost_usd, reason, hint FROM bucketwise.documents WHERE tenant = %s""",
            (tenant.index.tenant,),
        ).fetchone()
    assert row == ("etag of v1", 5, "text/plain", "Title", "code 1", 2, 6, 2, 9, 0.5, None, None)


def test_a_failed_document_says_why_and_has_nothing_of_its_older_version(tenant: Tenant) -> None:
    tenant.store("one", "two")
    assert tenant.fail(version="v2")
    with connected(tenant.database.superuser) as connection:
        row = connection.execute(
            "SELECT state, version, reason, hint, chunks, title FROM bucketwise.documents WHERE tenant = %s",
            (tenant.index.tenant,),
        ).fetchone()
    assert row == ("failed", "v2", "corrupt", "The file is damaged.", 0, None)
    assert tenant.texts() == []


def test_a_tombstone_fences_off_a_writer_that_saw_the_object_alive(tenant: Tenant) -> None:
    late = tenant.claim()
    tenant.bury()
    assert not tenant.store("one", claim=late)
    assert not tenant.fail(claim=late)
    held = tenant.held()
    assert held is not None
    assert (held.state, held.texts) == ("deleted", [])


def test_a_version_that_is_held_is_confirmed_and_its_new_claim_fences_off_older_ones(tenant: Tenant) -> None:
    tenant.store("one")
    late, now = tenant.claim(), tenant.claim()
    before = tenant.version
    assert tenant.confirm(claim=now)
    assert tenant.held() == Held("indexed", "v1", now, ["one"])
    assert not tenant.store("other", claim=late)
    assert not tenant.bury(claim=late)
    assert tenant.version == before


@pytest.mark.parametrize(
    "change",
    [lambda tenant: tenant.store("one", version="v2"), lambda tenant: tenant.fail(version="v2"), Tenant.bury],
)
def test_what_is_not_held_as_it_was_seen_is_not_confirmed(tenant: Tenant, change: Callable[[Tenant], object]) -> None:
    tenant.store("one")
    change(tenant)
    before = tenant.held()
    assert not tenant.confirm()
    assert tenant.held() == before


def test_a_failure_is_confirmed_for_its_version_alone(tenant: Tenant) -> None:
    tenant.fail(version="v2")
    claim = tenant.claim()
    assert tenant.confirm(version="v2", claim=claim)
    assert tenant.held() == Held("failed", "v2", claim, [])
    assert not tenant.confirm(version="v3")


def test_nothing_is_confirmed_for_an_unknown_key_a_missing_version_or_an_older_claim(tenant: Tenant) -> None:
    late = tenant.claim()
    tenant.store("one", version=None)
    tenant.store("one", key="b.txt")
    assert not tenant.confirm(key="unknown.txt")
    assert not tenant.confirm(version=None)
    assert not tenant.confirm(key="b.txt", claim=late)


def test_what_other_code_made_of_the_same_version_is_not_confirmed(tenant: Tenant) -> None:
    tenant.store("one")
    newer = DocumentIndex(tenant.index.database, tenant.index.tenant, "code 2")
    assert newer.compare(facts(), newer.claim(deadline=SOON), deadline=SOON) is Standing.OTHER


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_whose_acknowledgement_was_lost_reports_success_and_counts_once(
    forgetful: tuple[LosesOneReply, Tenant], kind: str
) -> None:
    database, tenant = forgetful
    tenant.store("before")
    claim = tenant.claim()
    tenant.embed(f"text {claim}")
    database.armed = True
    assert commit(tenant, kind, "a.txt", claim, embedded=True)
    assert not database.armed
    assert tenant.held() == left_by(kind, claim)
    assert tenant.version == 2
    assert tenant.released() == {text_digest("before")}


def test_a_confirmation_whose_acknowledgement_was_lost_is_still_one(forgetful: tuple[LosesOneReply, Tenant]) -> None:
    database, tenant = forgetful
    tenant.store("one")
    claim = tenant.claim()
    database.armed = True
    assert tenant.confirm(claim=claim)
    assert not database.armed


def test_a_reader_sees_one_whole_version_at_every_moment(tenant: Tenant) -> None:
    whole = {"v1": [f"first {n}" for n in range(7)], "v2": [f"second {n}" for n in range(4)]}
    tenant.embed(*itertools.chain(*whole.values()))
    tenant.put(*whole["v1"], version="v1")
    ended = threading.Event()

    def write() -> None:
        try:
            for n in range(120):
                version = f"v{n % 2 + 1}"
                tenant.put(*whole[version], version=version)
        finally:
            ended.set()

    seen: list[tuple[str, list[str]]] = []
    query = """SELECT version, array_agg(text ORDER BY ordinal)
               FROM bucketwise.documents LEFT JOIN bucketwise.chunks USING (tenant, key)
               WHERE tenant = %s GROUP BY version"""
    with connected(tenant.database.superuser) as connection, ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        while not ended.is_set():
            seen += connection.execute(query, (tenant.index.tenant,)).fetchall()
        writer.result()
    assert [one for one in seen if one[1] != whole[one[0]]] == []
    assert {version for version, _ in seen} == {"v1", "v2"}


def test_a_document_with_a_vector_that_was_collected_is_not_committed_until_it_is_embedded_again(
    tenant: Tenant,
) -> None:
    tenant.store("old")
    tenant.embed("one", "two")
    with connected(tenant.database.superuser) as connection:
        connection.execute(
            "DELETE FROM bucketwise.embeddings WHERE tenant = %s AND text_sha256 = sha256('two')",
            (tenant.index.tenant,),
        )
    before = tenant.held(), tenant.version
    with pytest.raises(EmbeddingMissing):
        tenant.put("one", "two", version="v2")
    assert (tenant.held(), tenant.version) == before
    assert tenant.store("one", "two", version="v2")


def test_thousands_of_chunks_keep_their_order_and_share_their_vectors(tenant: Tenant) -> None:
    texts = [f"text {n % 700}" for n in range(2000)]
    tenant.store(*texts)
    assert tenant.texts() == texts
    assert tenant.vectors == 700
