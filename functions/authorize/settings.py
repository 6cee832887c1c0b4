"""The authorizer's settings: whose tokens are taken, and what they must say. It has no database."""

import re
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bucketwise.callers import is_tenant
from bucketwise.settings import Environment, Text

# Signatures that are made with a private key. With a shared secret, whoever can check a token can make one too.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
)  # fmt: skip
_HTTPS = re.compile(r"https://[^\s/?#@]+(/[^\s?#]*)?")


def _https(url: str) -> str:
    if not _HTTPS.fullmatch(url):
        raise ValueError("it must be an https:// URL without user, query or fragment")
    return url


def _algorithms(text: str) -> str:
    if not text.strip() or not {each.strip() for each in text.split(",")} <= set(ALGORITHMS):
        raise ValueError(f"it must be a list, with commas, of some of {', '.join(ALGORITHMS)}")
    return text


class TokenSettings(Environment):
    """Of the one issuer whose tokens are taken. The README's table of settings is checked against this model."""

    jwt_issuer: Annotated[Text, AfterValidator(_https)]
    jwt_audience: Text
    jwt_algorithms: Annotated[str, AfterValidator(_algorithms)] = "RS256"
    jwt_keys_url: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    jwt_tenant_claim: str = Field(default="", max_length=256)
    tenant: Text = "default"

    @property
    def algorithms(self) -> Sequence[str]:
        return tuple(each.strip() for each in self.jwt_algorithms.split(","))

    @model_validator(mode="after")
    def _keys_come_by_https(self) -> Self:
        if self.jwt_keys_url:
            _https(self.jwt_keys_url)
        return self

    @model_validator(mode="after")
    def _a_tenant_can_be_told(self) -> Self:
        if not is_tenant(self.tenant):
            raise ValueError("TENANT must be printable characters")
        return self
