"""The authorizer Lambda: a token in, a policy for the whole API out. Nothing of a token goes into a log."""

from bucketwise import startup  # isort: split

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from authorize.fetching import KeysUnavailable
from authorize.keys import ProviderKeys, fetch_keys
from authorize.policy import policy
from authorize.settings import TokenSettings
from authorize.tokens import TokenRefused, verified_claims
from bucketwise.callers import is_tenant
from bucketwise.errors import InvalidSettings
from bucketwise.telemetry import Telemetry

telemetry = Telemetry("authorize")

startup.imported()


class Unauthorized(Exception):
    """API Gateway answers 401 to an error with exactly this message, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@lru_cache(maxsize=1)
def settings() -> TokenSettings:
    return TokenSettings.from_environment(os.environ)


@lru_cache(maxsize=1)
def provider_keys() -> ProviderKeys:
    given = settings()
    return ProviderKeys(lambda: fetch_keys(given.jwt_issuer, given.jwt_keys_url, given.algorithms))


@telemetry.logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  # Lambda's form
    """A policy. Raises Unauthorized, KeysUnavailable or InvalidSettings."""
    try:
        claims = verified_claims(event.get("authorizationToken"), settings(), provider_keys())
    except TokenRefused as refused:
        telemetry.logger.info("refused", extra={"why": refused.why})
        raise Unauthorized from None
    except (KeysUnavailable, InvalidSettings) as error:
        telemetry.log_failure(error)
        raise
    tenant = tenant_in(claims, settings())
    if tenant is None:
        telemetry.logger.info("denied", extra={"why": "tenant"})
    # A subject is one of its issuer's (OpenID Connect Core 1.0, 2), whichever that was at the time.
    return policy(f"{settings().jwt_issuer}|{claims['sub']}", event["methodArn"], tenant=tenant)


def tenant_in(claims: Mapping[str, Any], settings: TokenSettings) -> str | None:
    """What the one claim says that names a tenant, or None if it names none. Without such a claim, the stack's."""
    if not settings.jwt_tenant_claim:
        return settings.tenant
    named = claims.get(settings.jwt_tenant_claim)
    return named if isinstance(named, str) and is_tenant(named) else None
