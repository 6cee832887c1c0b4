"""Nothing that one tenant can ask of the API tells of what is another's, though keys and texts are the same."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from local.api import Reply
from tests.e2e.conftest import System
from tests.e2e.site import Site, site

SAME = b"The gate of the harbour closes at nine in the evening, and opens again at six."
QUESTION = "When does the gate of the harbour close?"

Request = tuple[str, str, Any]
Versions = dict[str, str]
Tenants = dict[str, tuple[Site, Versions]]


def plant(of: Site) -> Versions:
    """The versions by key: S3's ids, which tell whose they are like any canary."""
    described = {"Metadata": {"owner": of.canary}}
    page = (
        f"<title>On {of.canary}</title><h1>{of.canary} Hall</h1><p>The code of {of.canary} opens the gate of the vault."
    )
    return {
        key: of.put(key, content, **options)
        for key, content, options in [
            ("all/gates.txt", SAME, described),
            ("all/vault.html", page.encode(), described),
            (f"{of.canary}/gates.txt", SAME, {}),
            (f"{of.canary}/broken.pdf", b"%PDF-1.7 broken", {}),
            ("all/broken.docx", b"PK\3\4 broken", described),
        ]
    }


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


def requests(canary: str, versions: Versions, *, asked: str = "") -> Iterator[Request]:
    """Each route with whatever it takes, in the words of the tenant whose ``canary`` that is.

    ``asked``: instead of a question that has the canary in it.
    """
    owner: list[Any] = [
        canary,
        {"contains": canary},
        {"ne": canary},
        {"in": [canary]},
        {"gte": canary},
        {"exists": True},
    ]
    own = f"{canary}/gates.txt"
    filters: list[dict[str, Any]] = [
        {},
        {"key": own},
        {"key": "all/vault.html"},
        {"prefix": canary},
        {"prefix": "all/"},
        {"any": [{"key": own}, {"prefix": "all"}]},
        {"not": {"metadata": {"owner": canary}}},
        *({"metadata": {"owner": test}} for test in owner),
        {"metadata": {"title": {"contains": canary}}},
    ]
    turn = asked or f"What is the code of {canary}?"
    for route, question, given in product(("/search", "/ask"), {QUESTION, turn}, filters):
        explained = {"explain": True, "history": [{"question": turn, "answer": turn}]} if route == "/ask" else {}
        yield "POST", route, {"question": question, "filters": given, "top_k": 50} | explained
    wanted: list[Any] = [{"key": key, "version": version} for key, version in versions.items()]
    for route, version in product(("/search", "/ask"), [*wanted, 1_000_000]):
        yield "POST", route, {"question": QUESTION, "min_version": version}
    keys = [*versions, canary, "none.txt"]
    for query in [{}, {"prefix": canary}, {"prefix": "all"}, {"after": "all"}, *({"key": key} for key in keys)]:
        yield "GET", "/documents", query
    for state in ("indexed", "failed", "deleted", "queued"):
        yield "GET", "/documents", {"state": state}
    for key in keys:
        yield "POST", "/retries", {"key": key}
    yield "POST", "/retries", {"all_failed": True}
    yield "GET", "/health", {"deep": "1"}
    yield "GET", "/openapi.json", {}
    yield "GET", f"/{canary}", {}
    wrong: list[Any] = [
        {"question": ""},
        {"question": turn, "filters": {"key": ""}},
        {"question": turn, "top_k": 99},
        [],
    ]
    for content in wrong:
        yield "POST", "/ask", content


def send(of: Site, request: Request) -> Reply:
    method, path, content = request
    return of.api.get(path, **content) if method == "GET" else of.api.post(path, content)


def said(reply: Reply) -> str:
    """Without what `explain` repeats of the request."""
    return json.dumps([reply.headers, _without_echo(reply.body)], ensure_ascii=False)


def _without_echo(body: Any) -> Any:
    if not isinstance(body, dict) or not body.get("explain"):
        return body
    return body | {"explain": body["explain"] | {"question": None, "filters": None}}


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
        assert _without_chance(send(mine, request)) == _without_chance(send(mine, unknown)), request
    assert theirs.canary not in said(mine.api.get("/documents"))
    mine.retried()


def _without_chance(reply: Reply) -> tuple[int, Any]:
    """Without what is another with each request: its number, its time, the signatures of its links, and whether it was
    the first of its kind.
    """
    body = _without_echo(reply.body) if isinstance(reply.body, dict) else {}
    kept = {name: value for name, value in body.items() if name not in {"request_id", "timings_ms", "usage", "cache"}}
    if kept.get("explain"):
        kept["explain"] |= {"trace_id": None}
    kept["citations"] = [citation | {"url": None} for citation in body.get("citations", [])]
    return reply.status, kept


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
