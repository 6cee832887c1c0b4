"""A token to its claims, if it is one of the issuer for the audience, and good now."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import jwt
from jwt.exceptions import PyJWTError

from authorize.keys import VerifyingKey
from authorize.settings import TokenSettings

# API Gateway takes 10,240 bytes of headers in all (its quotas for REST APIs).
MOST_CHARACTERS = 8192
LEEWAY_SECONDS = 30.0
# OpenID Connect Core 1.0, 2.
MOST_SUBJECT_CHARACTERS = 255
REQUIRED = ("exp", "iss", "aud", "sub")


class TokenRefused(Exception):
    """The token is not good. ``why`` holds nothing of it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Keys(Protocol):
    def get(self, kid: str | None) -> VerifyingKey | None: ...


def verified_claims(authorization: object, settings: TokenSettings, keys: Keys) -> Mapping[str, Any]:
    """The claims of ``Bearer`` and a signed token; ``sub`` is among them and fit to be kept.

    Raises TokenRefused, and KeysUnavailable if the token cannot be checked.
    """
    token = _bearer(authorization)
    with _refused():
        header = jwt.get_unverified_header(token)
    # Looked at before a key is, so that a token that no key can help fetches none.
    if header.get("alg") not in settings.algorithms:
        raise TokenRefused("algorithm")
    key = keys.get(header.get("kid"))
    if key is None:
        raise TokenRefused("key")
    with _refused():
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=list(key.algorithms),
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
        )
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT_CHARACTERS or not subject.isprintable():
        raise TokenRefused("subject")
    return claims


@contextmanager
def _refused() -> Iterator[None]:
    """Beside its own errors PyJWT lets those out that a number too large or a wrong type raises."""
    try:
        yield
    except (PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise TokenRefused(type(error).__name__) from None


def _bearer(authorization: object) -> str:
    if not isinstance(authorization, str) or len(authorization) > MOST_CHARACTERS or not authorization.isascii():
        raise TokenRefused("size")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("scheme")
    return token.strip()
