"""One ask function for two tenants, behind API Gateway's two ways of knowing a caller."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from local import CODE
from local.api import Api
from local.authorizer import TokenAuthorizer
from local.environment import Configuration
from local.function import Function
from local.gateway import Gateway
from local.twin import Twin
from tests.e2e.conftest import System
from tests.e2e.site import Site, site
from tests.e2e.tenant_requests import Versions, plant
from tests.integration.oidc_provider import AUDIENCE, OidcProvider, oidc_provider

ACCOUNT = "123456789012"
TENANTS = ("carol", "dave")
CALLERS = {f"arn:aws:iam::{ACCOUNT}:role/{tenant}-reader": tenant for tenant in TENANTS}
CLAIM = "https://example.com/tenant"


@dataclass(frozen=True, slots=True)
class House:
    """One ask function for all. ``iam`` and ``token`` have a site for each tenant, with its own way in."""

    iam: dict[str, Site]
    token: dict[str, Site]
    planted: dict[str, Versions]
    signed_by: dict[str, Api]
    token_api: Api
    provider: OidcProvider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with oidc_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="module")
def house(system: System, provider: OidcProvider) -> Iterator[House]:
    twin = system.twin
    with ExitStack() as running:
        sites = {tenant: running.enter_context(site(twin, tenant)) for tenant in TENANTS}
        planted = {tenant: plant(each) for tenant, each in sites.items()}
        retries, _ = twin.storage.create_queue("all-retries", visibility_seconds=30, max_receives=20)
        own = {"CALLERS": json.dumps(CALLERS), "QUEUE_URL": retries}
        # One environment, so that all that it keeps from one request to the next is there for the other tenant's.
        ask = running.enter_context(function(twin, "ask", twin.function_environment(database_url=twin.index.ask) | own))
        authorize = running.enter_context(function(twin, "authorize", token_variables(provider)))
        # A session is named by who makes it: the other tenant's name is no key.
        sessions = {
            f"{tenant}-reader": f"assumed-role/{tenant}-reader/{other}-reader"
            for tenant, other in zip(TENANTS, reversed(TENANTS), strict=True)
        } | {"stranger": "assumed-role/stranger/carol-reader", "federated": "federated-user/carol-reader"}
        signed = {
            name: Api(served(running, Gateway(ask, identity={"userArn": f"arn:aws:sts::{ACCOUNT}:{session}"})))
            for name, session in sessions.items()
        }
        by_token = Api(served(running, Gateway(ask, authorizer=TokenAuthorizer(authorize))))
        yield House(
            iam={tenant: replace(sites[tenant], api=signed[f"{tenant}-reader"], retries=retries) for tenant in TENANTS},
            token={
                tenant: replace(
                    sites[tenant],
                    api=replace(by_token, token=provider.token({CLAIM: tenant})),
                    retries=retries,
                )
                for tenant in TENANTS
            },
            planted=planted,
            signed_by=signed,
            token_api=by_token,
            provider=provider,
        )


def token_variables(provider: OidcProvider) -> dict[str, str]:
    return {
        "JWT_ISSUER": provider.issuer,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_TENANT_CLAIM": CLAIM,
        "SSL_CERT_FILE": str(provider.certificate),
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def function(twin: Twin, name: str, variables: dict[str, str]) -> Function:
    configuration = Configuration(
        name=f"bucketwise-{name}",
        handler=f"{name}.handler.lambda_handler",
        log_file=twin.logs / f"all-{name}.log",
        variables=variables,
        paths=CODE,
        timeout_seconds=60.0,
        memory_mb=1769,
    )
    return Function(configuration)


def served(running: ExitStack, gateway: Gateway) -> str:
    gateway.start()
    running.callback(gateway.stop)
    return gateway.url
