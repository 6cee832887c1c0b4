"""The authorizer beside a provider of tokens, asked as API Gateway asks it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from authorize import handler
from authorize.handler import Unauthorized, lambda_handler
from tests.integration.oidc_provider import AUDIENCE, OidcProvider, oidc_provider
from tests.unit.fakes import LambdaContext

API = "arn:aws:execute-api:us-east-1:123456789012:abcde12345/live"


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OidcProvider]:
    """Configured, in an environment that has fetched nothing yet."""
    with oidc_provider(tmp_path) as provider:
        configure(
            monkeypatch, JWT_ISSUER=provider.issuer, JWT_AUDIENCE=AUDIENCE, SSL_CERT_FILE=str(provider.certificate)
        )
        yield provider


def configure(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    handler.settings.cache_clear()
    handler.provider_keys.cache_clear()


def asked(token: object, *, route: str = "POST/ask", scheme: str = "Bearer") -> dict[str, Any]:
    """The policy for who sends it."""
    event = {"type": "TOKEN", "methodArn": f"{API}/{route}", "authorizationToken": f"{scheme} {token}"}
    result: dict[str, Any] = lambda_handler(event, LambdaContext())
    return result


def is_refused(token: object, **request: str) -> bool:
    """Whether API Gateway answers 401: the message has to be just this one."""
    with pytest.raises(Unauthorized) as raised:
        asked(token, **request)
    return str(raised.value) == "Unauthorized"


def forged(provider: OidcProvider, claims: dict[str, Any]) -> str:
    """Signed by the provider's key, whatever it says: PyJWT refuses to make some of these."""
    good = jwt.decode(provider.token(), options={"verify_signature": False})
    said = {name: value for name, value in (good | claims).items() if value is not None}
    [key] = provider.keys
    return jwt.PyJWS().encode(json.dumps(said).encode(), key.private, key.algorithm, {"kid": key.kid})
