"""Whatever is sent as a token is refused as one, and raises nothing else."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from authorize.keys import VerifyingKey, verifying_keys
from authorize.policy import policy
from authorize.settings import ALGORITHMS, TokenSettings
from authorize.tokens import TokenRefused, verified_claims

SETTINGS = TokenSettings(
    jwt_issuer="https://issuer.test", jwt_audience="bucketwise", jwt_algorithms=",".join(ALGORITHMS)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
HEADERS = st.fixed_dictionaries(
    {}, optional={"alg": st.sampled_from(ALGORITHMS) | JSON, "kid": JSON, "crit": JSON, "b64": JSON, "typ": JSON}
)


class OneKey:
    """A key that fits every token, and has signed none."""

    def get(self, _kid: str | None) -> VerifyingKey:
        return VerifyingKey("a", ["EdDSA"], ed25519.Ed25519PrivateKey.from_private_bytes(b"0" * 32).public_key())


def refuse(authorization: object) -> None:
    with pytest.raises(TokenRefused):
        verified_claims(authorization, SETTINGS, OneKey())


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@given(st.text() | st.binary() | st.none() | st.integers())
def test_any_header_of_a_request(authorization: object) -> None:
    refuse(authorization)


@given(st.text())
def test_any_text_as_a_token(text: str) -> None:
    refuse(f"Bearer {text}")


@settings(max_examples=300, deadline=None)
@given(HEADERS | JSON, JSON, st.binary(max_size=80))
def test_any_header_and_claims_of_a_token(header: Any, claims: Any, signature: bytes) -> None:
    signed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    refuse(f"Bearer {part(header)}.{part(claims)}.{signed}")


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "keys": st.lists(
                JSON
                | st.fixed_dictionaries(
                    {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct"])},
                    optional=dict.fromkeys(("kid", "alg", "use", "crv", "n", "e", "x", "y", "d", "k"), JSON),
                )
            )
        }
    )
    | st.dictionaries(st.just("keys"), JSON)
)
def test_any_set_of_keys_has_none_that_is_not_one(document: dict[str, Any]) -> None:
    assert verifying_keys(document, ALGORITHMS) == []


def test_a_policy_is_of_the_stage_that_was_asked() -> None:
    api = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc"
    for route in ("GET/", "POST/ask", "GET/a/live/b"):
        [statement] = policy("p", f"{api}/live/{route}", tenant="acme")["policyDocument"]["Statement"]
        assert statement["Resource"] == f"{api}/live/*/*"
