"""Nothing that one tenant can ask of the API tells of what is another's, though keys and texts are the same."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import System
from tests.e2e.site import Site, site
from tests.e2e.tenant_requests import QUESTION, SAME, Versions, plant, requests, said, send, without_chance

Tenants = dict[str, tuple[Site, Versions]]


@pytest.fixture(scope="module")
def tenants(system: System) -> Iterator[Tenants]:
    with site(system.twin, "ada") as ada, site(system.twin, "ben") as ben:
        yield {"ada": (ada, plant(ada)), "ben": (ben, plant(ben))}


@pytest.fixture(params=["ada", "ben"])
def asking(request: pytest.FixtureRequest, tenants: Tenants) -> tuple[Site, Versions]:
    return tenants[request.param]


@pytest.fixture
def other(asking: tuple[Site, Versions], tenants: Tenants) -> tuple[Site, Versions]:
    [found] = [each for each in tenants.values() if each is not asking]
    return found


def test_no_reply_tells_what_is_another_tenants(asking: tuple[Site, Versions], other: tuple[Site, Versions]) -> None:
    (mine, own), (theirs, foreign) = asking, other
    secret = [theirs.canary, *foreign.values()]
    held: dict[str, int] = {}
    for request in [*requests(theirs.canary, foreign), *requests(mine.canary, own)]:
        reply = send(mine, request)
        told = said(reply)
        assert [canary for canary in secret if canary in told] == [], request
        assert reply.status in {200, 202, 404, 409, 422}, (request, reply)
        held[request[1]] = held.get(request[1], 0) + any(canary in told for canary in (mine.canary, *own.values()))
    # It would be no wonder if nothing told anything.
    assert min(held[route] for route in ("/search", "/ask", "/documents")) > 0
    assert set(mine.retried()) <= own.keys()


def test_no_degraded_answer_tells_what_is_another_tenants(
    system: System, asking: tuple[Site, Versions], other: tuple[Site, Versions]
) -> None:
    (mine, _), (theirs, foreign) = asking, other
    for route, model in (("/search", "embeddings"), ("/ask", "embeddings"), ("/ask", "chat")):
        system.fault(route=model, kind="status", status=500, times=2)
        reply = mine.api.post(route, {"question": f"What is the code of {theirs.canary}, and of {mine.canary}?"})
        system.no_more_faults()
        assert reply.body["degraded"]
        assert mine.canary in said(reply)
        assert [canary for canary in (theirs.canary, *foreign.values()) if canary in said(reply)] == []


def test_what_another_tenant_has_is_answered_like_what_nobody_has(
    asking: tuple[Site, Versions], other: tuple[Site, Versions]
) -> None:
    (mine, own), (theirs, foreign) = asking, other
    theirs_alone = {key: version for key, version in foreign.items() if key not in own}
    nobody = f"{theirs.canary}x"  # which is ordered among all others as the tenant is
    nobodys = {key.replace(theirs.canary, nobody): f"{number}" for number, key in enumerate(theirs_alone)}
    pairs = zip(
        requests(theirs.canary, theirs_alone, asked=QUESTION), requests(nobody, nobodys, asked=QUESTION), strict=True
    )
    for request, unknown in pairs:
        assert without_chance(send(mine, request)) == without_chance(send(mine, unknown)), request
    assert theirs.canary not in said(mine.api.get("/documents"))
    mine.retried()


def test_one_tenants_changes_are_not_counted_among_anothers(
    asking: tuple[Site, Versions], other: tuple[Site, Versions]
) -> None:
    (mine, _), (theirs, _) = asking, other
    before = mine.api.get("/health", deep="1").body["corpus_version"]
    theirs.put(f"{theirs.canary}/more.txt", SAME + b" More.")
    assert mine.api.get("/health", deep="1").body["corpus_version"] == before
    assert mine.api.post("/search", {"question": QUESTION, "min_version": before + 1}).status == 409


def test_all_that_failed_are_ones_own(asking: tuple[Site, Versions]) -> None:
    mine, own = asking
    mine.retried()
    assert mine.api.post("/retries", {"all_failed": True}).body == {"queued": 2}
    assert mine.retried() == sorted(key for key in own if "broken" in key)
