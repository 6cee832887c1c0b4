"""Two tenants served by one function: each caller gets what is of its own tenant, by whichever way it proves itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from ask.routes import app
from local import CODE
from local.api import Api, Reply
from local.authorizer import TokenAuthorizer
from local.environment import Configuration
from local.function import Function
from local.gateway import Gateway
from tests.e2e.conftest import System
from tests.e2e.house import CLAIM, TENANTS, House, function, house, provider, served, token_variables
from tests.e2e.site import Site
from tests.e2e.tenant_requests import QUESTION, Request, requests, said, send, without_chance
from tests.integration.oidc_provider import KEYS, OidcProvider, signing_key

__all__ = ["house", "provider"]

OF_NOBODY = {("GET", "/health"), ("GET", "/openapi.json")}


@pytest.fixture(params=["iam", "token"])
def sites(request: pytest.FixtureRequest, house: House) -> dict[str, Site]:
    found: dict[str, Site] = getattr(house, request.param)
    return found


@pytest.fixture(params=TENANTS)
def asking(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def other_than(tenant: str) -> str:
    [found] = [each for each in TENANTS if each != tenant]
    return found


def all_requests(house: House, tenant: str) -> Iterator[Request]:
    """In the words of both tenants."""
    for each in (other_than(tenant), tenant):
        yield from requests(f"canary{each}", house.planted[each])


@cache  # to make the document takes a while
def routes_of_the_app() -> set[tuple[str, str]]:
    paths = app.get_openapi_schema().paths or {}
    found = {(verb.upper(), path) for path, each in paths.items() for verb in each.model_dump(exclude_none=True)}
    return found | {("GET", "/openapi.json")}


def test_every_route_of_the_app_is_asked(house: House) -> None:
    asked = {(method, path) for method, path, _ in all_requests(house, "carol")}
    assert asked >= routes_of_the_app()


def test_no_reply_tells_what_is_another_tenants(house: House, sites: dict[str, Site], asking: str) -> None:
    """The other one makes all requests first, so that whatever is kept of them is there."""
    mine, theirs = sites[asking], sites[other_than(asking)]
    own, foreign = house.planted[asking], house.planted[other_than(asking)]
    secret = [theirs.canary, *foreign.values()]
    held: dict[str, int] = {}
    for request in all_requests(house, asking):
        send(theirs, request)
    mine.retried()
    for request in all_requests(house, asking):
        reply = send(mine, request)
        told = said(reply)
        assert [canary for canary in secret if canary in told] == [], request
        assert reply.status in {200, 202, 404, 409, 422}, (request, reply)
        held[request[1]] = held.get(request[1], 0) + any(canary in told for canary in (mine.canary, *own.values()))
    assert set(mine.retried()) <= own.keys()
    # It would be no wonder if nothing told anything.
    assert min(held[route] for route in ("/search", "/ask", "/documents")) > 0


def test_a_function_for_all_answers_as_one_of_the_tenants_own(
    house: House, sites: dict[str, Site], asking: str, system: System
) -> None:
    alone = Function(
        Configuration(
            name="bucketwise-ask",
            handler="ask.handler.lambda_handler",
            log_file=system.twin.logs / f"{asking}-alone.log",
            variables=system.twin.function_environment(database_url=system.twin.index.ask) | {"TENANT": asking},
            paths=CODE,
            timeout_seconds=60.0,
        )
    )
    with ExitStack() as running:
        running.enter_context(alone)
        its_own = replace(sites[asking], api=Api(served(running, Gateway(alone))))
        for request in requests(f"canary{asking}", house.planted[asking], asked=QUESTION):
            if request[1] != "/retries":  # whose queues are two
                assert without_chance(send(sites[asking], request)) == without_chance(send(its_own, request)), request


def test_an_answer_that_is_kept_is_kept_for_its_tenant(sites: dict[str, Site], asking: str) -> None:
    way = "token" if sites[asking].api.token else "iam"
    body = {"question": f"{QUESTION} This is asked by {way} for {asking}."}
    mine, theirs = sites[asking].api, sites[other_than(asking)].api
    assert [mine.post("/ask", body).body["cache"] for _ in range(2)] == ["miss", "hit"]
    assert [theirs.post("/ask", body).body["cache"] for _ in range(2)] == ["miss", "hit"]
    assert mine.post("/ask", body).body["cache"] == "hit"


def test_one_tenants_changes_are_not_counted_among_anothers(sites: dict[str, Site], asking: str) -> None:
    mine, theirs = sites[asking], sites[other_than(asking)]
    before = mine.api.get("/health", deep="1").body["corpus_version"]
    theirs.put(f"{theirs.canary}/more.txt", f"More of {theirs.canary}, by {len(theirs.api.token)}.".encode())
    assert mine.api.get("/health", deep="1").body["corpus_version"] == before
    assert mine.api.post("/search", {"question": QUESTION, "min_version": before + 1}).status == 409


def test_nobody_has_another_tenants_documents_looked_at_again(
    house: House, sites: dict[str, Site], asking: str
) -> None:
    mine = sites[asking]
    foreign = [key for key in house.planted[other_than(asking)] if key not in house.planted[asking]]
    mine.retried()
    for key in foreign:
        assert mine.api.post("/retries", {"key": key}).status == 404
    assert mine.retried() == []
    assert mine.api.post("/retries", {"all_failed": True}).body == {"queued": 2}
    assert mine.retried() == sorted(key for key in house.planted[asking] if "broken" in key)


def is_of_a_tenant(request: Request) -> bool:
    """A request of a route that there is, which fits the contract, and asks for what is a tenant's."""
    method, path, content = request
    if (method, path) not in routes_of_the_app() or path == "/openapi.json":
        return False
    is_valid = not isinstance(content, list) and content.get("question") != "" and content.get("top_k") != 99
    return is_valid and content.get("filters") != {"key": ""}


@pytest.mark.parametrize("who", ["stranger", "federated"])
def test_a_caller_of_no_tenant_is_refused_by_every_route_that_has_anything_to_tell(who: str, house: House) -> None:
    stranger = replace(house.iam["carol"], api=house.signed_by[who])
    stranger.retried()
    asked = [request for request in all_requests(house, "carol") if is_of_a_tenant(request)]
    assert {(method, path) for method, path, _ in asked} == routes_of_the_app() - {("GET", "/openapi.json")}
    for request in asked:
        reply = send(stranger, request)
        assert (reply.status, reply.body["type"]) == (403, "urn:bucketwise:problem:unknown-caller"), request
    assert stranger.retried() == []
    for method, path in OF_NOBODY:
        assert send(stranger, (method, path, {})).status == 200


def by_token(house: House, token: str, request: Request) -> Reply:
    return send(replace(house.token["carol"], api=replace(house.token_api, token=token)), request)


def test_without_a_good_token_no_route_is_reached(house: House) -> None:
    provider = house.provider
    stranger = signing_key(number=1)
    bad: dict[str, int] = {
        "": 401,
        "e30.e30.e30": 401,
        provider.token({CLAIM: "carol"}, exp=1): 401,
        provider.token({CLAIM: "carol"}, key=stranger, headers={"kid": provider.keys[0].kid}): 401,
        provider.token(): 403,
        provider.token({CLAIM: ["carol"]}): 403,
        provider.token(tenant="carol"): 403,
    }
    for token, status in bad.items():
        for method, path in sorted(routes_of_the_app()):
            assert by_token(house, token, (method, path, {})).status == status, (token, path)


def test_a_signature_of_iam_is_no_token_and_a_token_no_signature(house: House) -> None:
    token = house.token["carol"].api.token
    both = replace(house.signed_by["stranger"], token=token)
    assert both.get("/documents").status == 403
    assert both.post("/ask", {"question": QUESTION}).status == 403


def test_while_tokens_cannot_be_checked_nobody_is_let_in(system: System, provider: OidcProvider) -> None:
    """In an environment that has no keys yet."""
    provider.replies[KEYS] = 503, b"{}"
    try:
        with ExitStack() as running:
            fresh = running.enter_context(function(system.twin, "authorize", token_variables(provider)))
            url = served(running, Gateway(system.twin.ask, authorizer=TokenAuthorizer(fresh)))
            token = provider.token({CLAIM: "carol"})
            assert Api(url, token).get("/documents").status == 500
    finally:
        provider.replies.clear()


def test_principals_of_two_tenants_are_told_apart_by_one_environment_in_turn(sites: dict[str, Site]) -> None:
    seen: dict[str, list[Any]] = {tenant: [] for tenant in TENANTS}
    for _ in range(5):
        for tenant, each in sites.items():
            keys = [document["key"] for document in each.api.get("/documents", prefix="canary").body["documents"]]
            seen[tenant].append({key.partition("/")[0] for key in keys})
    assert seen == {tenant: [{f"canary{tenant}"}] * 5 for tenant in TENANTS}
