"""Each route serves the caller's tenant, and a caller of none gets no further."""

import json
from typing import Any

import pytest

from ask import composition, routes
from ask.caller import caller_of
from ask.routes import app
from bucketwise.settings import Settings
from tests.unit.ask_world import QUESTION, AskWorld, sent, world
from tests.unit.fakes import http_event, sample_event

__all__ = ["world"]

READER = "arn:aws:iam::123456789012:role/bucketwise-caller"  # of the sample events
CALLERS = {READER: "acme", "arn:aws:iam::123456789012:role/other": "globex"}
# One request of each route that touches what is a tenant's, and of each that does not.
OF_A_TENANT: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/ask"): {"body": {"question": QUESTION}},
    ("POST", "/search"): {"body": {"question": QUESTION}},
    ("GET", "/documents"): {},
    ("POST", "/retries"): {"body": {"key": "handbook.md"}},
    ("GET", "/health"): {"query": {"deep": "1"}},
}
OF_NOBODY = {("GET", "/health"), ("GET", "/openapi.json")}


def event(route: tuple[str, str], **changes: Any) -> dict[str, Any]:
    request = OF_A_TENANT.get(route, {}) | changes
    body = json.dumps(request["body"]) if "body" in request else None
    return http_event(*route, body, query=request.get("query"))


def test_every_route_is_tried_here() -> None:
    paths = app.get_openapi_schema().paths or {}
    documented = {(verb.upper(), path) for path, each in paths.items() for verb in each.model_dump(exclude_none=True)}
    assert documented | {("GET", "/openapi.json")} == OF_A_TENANT.keys() | OF_NOBODY


@pytest.mark.parametrize("route", OF_A_TENANT)
def test_a_route_serves_the_tenant_of_its_caller(route: tuple[str, str], world: AskWorld) -> None:
    world.callers = CALLERS
    assert sent(event(route)).status in {200, 202}
    assert set(world.served) == {"acme"}


@pytest.mark.parametrize("route", OF_A_TENANT)
def test_without_a_map_a_route_serves_the_one_tenant(route: tuple[str, str], world: AskWorld) -> None:
    assert sent(event(route)).status in {200, 202}
    assert set(world.served) == {"default"}


@pytest.mark.parametrize("route", OF_A_TENANT)
def test_a_caller_of_no_tenant_is_refused_before_anything_is_done(route: tuple[str, str], world: AskWorld) -> None:
    world.callers = {"arn:aws:iam::123456789012:role/other": "globex"}
    reply = sent(event(route))
    assert (reply.status, reply.problem, reply.content_type) == (403, "unknown-caller", "application/problem+json")
    assert (world.served, world.searcher.asked, world.queue.keys, world.documents.asked) == ([], [], [], [])
    assert READER not in json.dumps(reply.body)


@pytest.mark.parametrize("route", sorted(OF_NOBODY))
def test_what_is_no_tenants_is_told_to_every_caller(route: tuple[str, str], world: AskWorld) -> None:
    world.callers = {"arn:aws:iam::123456789012:role/other": "globex"}
    assert sent(http_event(*route)).status == 200
    assert world.served == []


@pytest.mark.parametrize("route", OF_A_TENANT)
def test_nothing_that_a_caller_writes_chooses_its_tenant(route: tuple[str, str], world: AskWorld) -> None:
    world.callers = CALLERS
    forged = {"tenant": "globex", "X-Tenant": "globex", "userArn": "arn:aws:iam::123456789012:role/other"}
    request = event(route)
    request |= {"headers": request["headers"] | forged, "stageVariables": forged}
    request["queryStringParameters"] = (request["queryStringParameters"] or {}) | forged
    identity = request["requestContext"]["identity"]
    session = identity["userArn"].rpartition("/")[0] + "/other"
    request["requestContext"] |= {"identity": identity | {"userArn": session, "user": "globex", "caller": "globex"}}
    assert sent(request).status in {200, 202}
    assert set(world.served) == {"acme"}


@pytest.mark.parametrize("name", ["tenant", "TENANT", "caller"])
@pytest.mark.parametrize("route", [route for route in OF_A_TENANT if route[0] == "POST"])
def test_a_body_that_names_a_tenant_is_not_valid(route: tuple[str, str], name: str, world: AskWorld) -> None:
    world.callers = CALLERS
    reply = sent(event(route, body=OF_A_TENANT[route]["body"] | {name: "globex"}))
    assert (reply.status, reply.problem) == (422, "invalid-request")


def test_a_map_that_is_wrong_lets_nobody_in(world: AskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def misconfigured() -> Settings:
        return Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test", "CALLERS": "{"})

    monkeypatch.setattr(composition, "settings", misconfigured)
    monkeypatch.setattr(routes, "tenants_of_callers", composition.tenants_of_callers)
    for route in OF_A_TENANT:
        reply = sent(event(route))
        assert (reply.status, reply.problem) == (500, "misconfigured")
    assert world.served == []


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("name", "caller"),
    [
        ("ask", READER),
        ("ask-by-role", "arn:aws:iam::123456789012:role/acme-reader"),
        ("ask-by-token", "https://login.example.com|248289761001"),
    ],
)
def test_sample_events_name_their_callers(name: str, caller: str) -> None:
    assert caller_of(sample_event(name)) == caller
