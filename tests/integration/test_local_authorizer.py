"""The twin's gateway with an authorizer: what its function says is gone by, and kept for a token."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.api import Api, Reply
from local.authorizer import TokenAuthorizer
from local.environment import Configuration
from local.function import Function
from local.gateway import Gateway

ROOT = Path(__file__).parents[2]
EVERYTHING = "API/local/*/*"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the authorizer's function writes what it is asked."""
    return tmp_path_factory.mktemp("authorizer") / "asked"


@pytest.fixture(scope="module")
def gateway(asked: Path) -> Iterator[Gateway]:
    with Function(configuration(asked, "serve")) as served, Function(configuration(asked, "authorize")) as authorize:
        gateway = Gateway(served, authorizer=TokenAuthorizer(authorize))
        gateway.start()
        yield gateway
        gateway.stop()


def configuration(asked: Path, handler: str) -> Configuration:
    return Configuration(
        name=handler,
        handler=f"tests.integration.handlers_for_tests.{handler}",
        log_file=asked.with_name(f"{handler}.log"),
        variables={"ASKED": str(asked)},
        paths=[ROOT],
        timeout_seconds=10,
    )


def token(number: int = 0, **wish: Any) -> str:
    """Says what the function shall answer; ``number`` makes it another."""
    part = base64.urlsafe_b64encode(json.dumps(wish | {"number": number}).encode()).rstrip(b"=").decode()
    return f"e30.{part}.c2ln"


def get(gateway: Gateway, given: str, path: str = "/a") -> Reply:
    return Api(gateway.url, given).get(path)


def test_what_the_authorizer_tells_is_in_the_event(gateway: Gateway) -> None:
    context = {"tenant": "acme", "number": 7, "flag": True}
    event = get(gateway, token(resource=EVERYTHING, context=context)).body
    told = event["requestContext"]["authorizer"]
    assert told == {"principalId": "issuer|7", "integrationLatency": 0, "tenant": "acme", "number": "7", "flag": "true"}
    assert event["requestContext"]["identity"]["userArn"] is None


@pytest.mark.parametrize("given", ["", "e30", "e30.e30", "e30.e30.c2ln.c2ln"])
def test_what_is_no_token_is_unauthorized_and_nobody_is_asked(given: str, gateway: Gateway, asked: Path) -> None:
    before = asked.read_text() if asked.exists() else ""
    assert get(gateway, given).status == 401
    assert (asked.read_text() if asked.exists() else "") == before


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"raise": "Unauthorized"}, 401),
        ({"raise": "unauthorized"}, 500),
        ({"raise": "Unauthorized: expired"}, 500),
        ({"resource": EVERYTHING, "effects": ["Deny"]}, 403),
        ({"resource": EVERYTHING, "effects": ["Allow", "Deny"]}, 403),
        ({"resource": EVERYTHING, "effects": []}, 403),
        ({"resource": "API/local/GET/b"}, 403),
        ({"resource": "API/local/GET/a"}, 200),
        ({"resource": "API/local/*"}, 200),
        ({"resource": "API/live/*/*"}, 403),
        ({"result": None}, 500),
        ({"result": {"principalId": "x"}}, 500),
        ({"resource": EVERYTHING, "context": {"parts": {"a": 1}}}, 500),
    ],
)
def test_the_policy_decides(wish: dict[str, Any], status: int, gateway: Gateway) -> None:
    assert get(gateway, token(1, **wish)).status == status


def test_a_policy_is_kept_for_its_token_and_a_refusal_is_not(gateway: Gateway, asked: Path) -> None:
    allowed, narrow, refused = (
        token(2, resource=EVERYTHING),
        token(2, resource="API/local/GET/a"),
        token(2, **{"raise": "Unauthorized"}),
    )
    assert [get(gateway, allowed, path).status for path in ("/a", "/b", "/c/d")] == [200, 200, 200]
    assert [get(gateway, narrow, path).status for path in ("/a", "/b")] == [200, 403]
    assert [get(gateway, refused).status for _ in range(2)] == [401, 401]
    said = asked.read_text()
    assert [said.count(each) for each in (allowed, narrow, refused)] == [1, 1, 2]
