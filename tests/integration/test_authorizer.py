"""The authorizer against a real provider of tokens: which tokens it takes, and which it refuses."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from authorize import handler
from authorize.handler import Unauthorized, lambda_handler
from authorize.settings import ALGORITHMS
from authorize.tokens import LEEWAY_SECONDS
from tests.integration.authorizer_calls import API, asked, configure, forged, is_refused, provider
from tests.integration.oidc_provider import AUDIENCE, KEYS, OidcProvider, SigningKey, signing_key
from tests.unit.fakes import LambdaContext, sample_event

__all__ = ["provider"]


def test_a_good_token_allows_the_whole_api_to_who_the_issuer_says_it_is(provider: OidcProvider) -> None:
    assert asked(provider.token()) == {
        "principalId": f"{provider.issuer}|mary",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{API}/*/*"}],
        },
        "context": {"tenant": "default"},
    }


@pytest.mark.parametrize("route", ["POST/ask", "GET/openapi.json", "GET/", "DELETE/a/b/c"])
def test_the_policy_is_the_same_whichever_route_it_is_kept_for(route: str, provider: OidcProvider) -> None:
    assert asked(provider.token(), route=route) == asked(provider.token())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_may_be_signed_by_each_algorithm_that_is_allowed(
    algorithm: str, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.keys = [signing_key(algorithm)]
    configure(monkeypatch, JWT_ALGORITHMS=algorithm)
    assert asked(provider.token())["principalId"].endswith("|mary")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_the_providers_is_of_no_use_with_an_algorithm_that_is_not_allowed(
    algorithm: str, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ",".join(each for each in ALGORITHMS if each != algorithm)
    provider.keys = [signing_key(algorithm), signing_key("ES384" if algorithm == "RS256" else "RS256", number=1)]
    configure(monkeypatch, JWT_ALGORITHMS=others)
    assert is_refused(provider.token())


def test_a_key_is_used_with_the_algorithm_that_it_is_published_for(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, JWT_ALGORITHMS="RS256,PS256")
    [key] = provider.keys
    assert is_refused(provider.token(key=SigningKey("PS256", key.private, key.kid)))
    provider.replies[KEYS] = 200, json.dumps({"keys": [key.jwk | {"alg": None}]}).encode()
    handler.provider_keys.cache_clear()
    assert asked(provider.token(key=SigningKey("PS256", key.private, key.kid)))


def test_an_unsigned_token_is_refused(provider: OidcProvider) -> None:
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    for name in ("none", "None", "NONE", ""):
        unsigned = ".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": name, "kid": provider.keys[0].kid}, claims)
        )
        assert is_refused(f"{unsigned}.")
    assert provider.asked == {}


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER], ids=["PEM", "DER"])
def test_a_token_that_has_the_public_key_for_a_shared_secret_is_refused(encoding: Any, provider: OidcProvider) -> None:
    """By hand: PyJWT itself makes no such token."""
    public = provider.keys[0].private.public_key()
    secret = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    _, claims, _ = provider.token().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": provider.keys[0].kid}).encode())
    signed = f"{header.rstrip(b'=').decode()}.{claims}"
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
    assert is_refused(f"{signed}.{signature}")
    assert provider.asked == {}


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://127.0.0.1"},
        {"iss": "https://127.0.0.1:1/"},
        {"iss": None},
        {"iss": ["https://127.0.0.1"]},
        {"aud": "others"},
        {"aud": ["others", "more"]},
        {"aud": []},
        {"aud": None},
        {"aud": {"bucketwise": True}},
        {"exp": None},
        {"exp": 1},
        {"exp": "never"},
        {"exp": float("inf")},
        {"exp": True},
        {"nbf": 4_102_444_800},
        {"iat": 4_102_444_800},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 256},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_claims_that_do_not_fit_are_refused(claims: dict[str, Any], provider: OidcProvider) -> None:
    assert asked(provider.token())
    assert is_refused(forged(provider, claims))


def test_a_clock_may_be_some_seconds_off(provider: OidcProvider) -> None:
    now = int(time.time())
    assert asked(provider.token(exp=now - 5, nbf=now + 5, iat=now + 5))
    assert is_refused(provider.token(exp=now - LEEWAY_SECONDS - 5))


def test_a_token_for_several_audiences_is_good_for_each(provider: OidcProvider) -> None:
    assert asked(provider.token(aud=["others", AUDIENCE]))


def test_a_token_that_was_changed_is_refused(provider: OidcProvider) -> None:
    header, claims, signature = provider.token().split(".")
    other = provider.token(sub="root").split(".")[1]
    half = len(signature) // 2
    for changed in (
        f"{header}.{other}.{signature}",
        f"{header}.{claims}.{signature[half:]}{signature[:half]}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims}.{signature}.{signature}",
    ):
        assert is_refused(changed)


def test_a_token_of_somebody_who_took_the_id_of_a_key_is_refused(provider: OidcProvider) -> None:
    stranger = SigningKey("RS256", signing_key(number=1).private, provider.keys[0].kid)
    assert is_refused(provider.token(key=stranger))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_token_cannot_bring_its_own_key(name: str, provider: OidcProvider) -> None:
    stranger = signing_key(number=1)
    brought: dict[str, Any] = {"jwk": stranger.jwk, "jku": f"{provider.issuer}/mine", "x5u": f"{provider.issuer}/mine"}
    value = brought.get(name, ["MIIB"])
    assert is_refused(provider.token(key=stranger, headers={name: value}))
    assert is_refused(provider.token(key=stranger, headers={name: value, "kid": provider.keys[0].kid}))
    assert "/mine" not in provider.asked


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}])
def test_a_token_with_extensions_that_must_be_understood_is_refused(
    header: dict[str, Any], provider: OidcProvider
) -> None:
    assert is_refused(provider.token(headers=header))


def test_a_short_key_checks_nothing(provider: OidcProvider) -> None:
    provider.keys = [SigningKey("RS256", rsa.generate_private_key(65537, 1024))]  # noqa: S505  # the point
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = provider.token()
    assert is_refused(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        ".",
        "..",
        "a.b.c",
        "é.é.é",
        "\ud800",
        "x" * 100_000,
        f"{'x' * 9000}.e30.e30",
        "eyJhbGciOiJSUzI1NiJ9..",
        "W10.e30.e30",
    ],
    ids=lambda token: ascii(token[:20]),
)
def test_what_is_no_token_is_refused_before_anything_is_fetched(token: str, provider: OidcProvider) -> None:
    assert is_refused(token)
    assert provider.asked.get(KEYS, 0) <= 1  # a header that names an algorithm and no key may be the only key's


@pytest.mark.parametrize("scheme", ["Basic", "", "BearerX", "Token"])
def test_another_scheme_than_bearer_is_refused(scheme: str, provider: OidcProvider) -> None:
    assert is_refused(provider.token(), scheme=scheme)


def test_a_scheme_may_be_written_in_any_case(provider: OidcProvider) -> None:
    assert asked(provider.token(), scheme="bearer")


@pytest.mark.parametrize("event", [{}, {"authorizationToken": None}, {"authorizationToken": ["Bearer x"]}])
def test_an_event_without_a_token_is_refused(event: dict[str, Any], provider: OidcProvider) -> None:
    with pytest.raises(Unauthorized):
        lambda_handler({"type": "TOKEN", "methodArn": f"{API}/GET/health"} | event, LambdaContext())
    assert provider.asked == {}


def test_the_sample_event_is_refused_as_it_says(provider: OidcProvider) -> None:
    with pytest.raises(Unauthorized):
        lambda_handler(sample_event("authorize"), LambdaContext())
    assert provider.asked[KEYS] == 1
