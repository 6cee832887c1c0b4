"""How the authorizer comes to the provider's keys, and what it does without them."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from authorize import handler
from authorize.fetching import FETCH_SECONDS, MOST_BYTES, KeysUnavailable
from tests.integration.authorizer_calls import asked, configure, forged, is_refused, provider
from tests.integration.oidc_provider import DISCOVERY, KEYS, OidcProvider, signing_key
from tests.integration.tls_front import write_certificate

__all__ = ["provider"]


def test_keys_are_fetched_once_for_many_tokens(provider: OidcProvider) -> None:
    for number in range(20):
        asked(provider.token(sub=f"user-{number}"))
    assert provider.asked == {DISCOVERY: 1, KEYS: 1}


def test_a_provider_without_discovery_is_asked_for_its_keys_where_the_setting_says(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, JWT_ISSUER="https://issuer.test/realm", JWT_KEYS_URL=f"{provider.issuer}{KEYS}")
    assert asked(provider.token(iss="https://issuer.test/realm"))["principalId"] == "https://issuer.test/realm|mary"
    assert provider.asked == {KEYS: 1}


def test_a_key_that_the_provider_went_over_to_is_known_at_once(provider: OidcProvider) -> None:
    asked(provider.token())
    handler.provider_keys().clock = lambda: time.time() + 120  # the pause since the first fetch is over
    old, new = provider.keys[0], signing_key(number=1)
    provider.keys = [new, old]
    assert asked(provider.token(key=new))
    assert asked(provider.token(key=old))
    assert provider.asked[KEYS] == 2


def test_a_key_that_the_provider_took_back_is_good_for_an_hour(provider: OidcProvider) -> None:
    old = provider.keys[0]
    asked(provider.token())
    provider.keys = [signing_key(number=1)]
    assert asked(provider.token(key=old))
    handler.provider_keys().clock = lambda: time.time() + 3700
    assert is_refused(provider.token(key=old))


def test_a_flood_of_keys_that_nobody_has_is_not_passed_on(provider: OidcProvider) -> None:
    for number in range(200):
        assert is_refused(provider.token(headers={"kid": f"none-{number}"}))
    assert provider.asked == {DISCOVERY: 1, KEYS: 1}
    assert asked(provider.token())


def test_a_token_that_names_no_key_is_checked_by_the_only_one(provider: OidcProvider) -> None:
    nameless = forged(provider, {})
    header, *rest = nameless.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    [key] = provider.keys
    without = jwt.encode(jwt.decode(nameless, options={"verify_signature": False}), key.private, key.algorithm)
    assert asked(without)
    provider.keys.append(signing_key(number=1))
    handler.provider_keys.cache_clear()
    assert is_refused(without)
    assert rest


BROKEN: dict[str, tuple[int, bytes]] = {
    "down": (503, b"{}"),
    "missing": (404, b"{}"),
    "moved": (302, b"https://127.0.0.1:1/keys"),
    "page": (200, b"<html>"),
    "list": (200, b"[]"),
    "nested": (200, b'{"keys":' + b"[" * 100_000),
    "no-unicode": (200, b'{"keys": "\xff"}'),
    "huge": (200, b'{"keys": [], "pad": "' + b"x" * MOST_BYTES + b'"}'),
    "empty": (200, b'{"keys": []}'),
    "none": (200, b"{}"),
    "odd": (
        200,
        b'{"keys": [7, {}, {"kty": "RSA"}, {"kty": ["RSA"]}, {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}',
    ),
}


ODD: list[Any] = [
    7,
    {},
    {"kty": ["RSA"]},
    {"kty": "RSA", "alg": ["RS256"]},
    {"kty": "RSA", "use": ["sig"]},
    {"kty": "RSA", "n": 7, "e": "AQAB"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
]


def test_keys_that_cannot_be_read_do_no_harm_to_those_beside_them(provider: OidcProvider) -> None:
    good = provider.keys[0].jwk
    odd = [each | {"kid": good["kid"]} if isinstance(each, dict) else each for each in ODD]
    provider.replies[KEYS] = 200, json.dumps({"keys": [*odd, good, *odd]}).encode()
    assert asked(provider.token())


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"alg": "HS256"}])
def test_a_key_that_is_not_published_for_checking_checks_nothing(
    change: dict[str, str], provider: OidcProvider
) -> None:
    provider.replies[KEYS] = 200, json.dumps({"keys": [provider.keys[0].jwk | change]}).encode()
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


def test_a_private_key_that_is_published_is_nobodys_any_more(provider: OidcProvider) -> None:
    [key] = provider.keys
    private = jwt.get_algorithm_by_name("RS256").to_jwk(key.private, as_dict=True) | {"kid": key.kid}
    assert "d" in private
    provider.replies[KEYS] = 200, json.dumps({"keys": [private]}).encode()
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
@pytest.mark.parametrize("how", BROKEN)
def test_nobody_is_let_in_while_there_are_no_keys_and_nobody_is_called_unauthorized(
    path: str, how: str, provider: OidcProvider
) -> None:
    provider.replies[path] = BROKEN[how]
    with pytest.raises(KeysUnavailable) as raised:
        asked(provider.token())
    assert str(raised.value) != "Unauthorized"


def test_a_provider_that_cannot_be_reached_lets_nobody_in(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, JWT_KEYS_URL="https://127.0.0.1:1/keys")
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


def test_a_provider_whose_certificate_nobody_vouches_for_lets_nobody_in(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_certificate(tmp_path / "other.pem", name="127.0.0.1")
    configure(monkeypatch, SSL_CERT_FILE=str(tmp_path / "other.pem"))
    with pytest.raises(KeysUnavailable):
        asked(provider.token())
    assert provider.asked == {}


def test_keys_that_drip_are_not_waited_for(provider: OidcProvider) -> None:
    provider.dripping = KEYS
    began = time.monotonic()
    with pytest.raises(KeysUnavailable):
        asked(provider.token())
    assert time.monotonic() - began < 2 * FETCH_SECONDS + 1


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
def test_no_redirect_is_followed_though_it_leads_to_good_keys(path: str, provider: OidcProvider) -> None:
    good = provider.reply(path, "")
    provider.replies |= {path: (302, f"{provider.issuer}/elsewhere".encode()), "/elsewhere": good}
    with pytest.raises(KeysUnavailable):
        asked(provider.token())
    assert "/elsewhere" not in provider.asked


def test_no_more_is_read_than_keys_can_be(provider: OidcProvider) -> None:
    keys = {"keys": [provider.keys[0].jwk]}
    provider.replies[KEYS] = 200, json.dumps(keys | {"pad": "x" * MOST_BYTES}).encode()
    with pytest.raises(KeysUnavailable):
        asked(provider.token())
    provider.replies[KEYS] = 200, json.dumps(keys | {"pad": "x" * (MOST_BYTES // 2)}).encode()
    handler.provider_keys.cache_clear()
    assert asked(provider.token())


def test_a_discovery_document_of_another_issuer_is_not_believed(provider: OidcProvider) -> None:
    provider.replies[DISCOVERY] = (
        200,
        json.dumps({"issuer": f"{provider.issuer}/", "jwks_uri": f"{provider.issuer}{KEYS}"}).encode(),
    )
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


@pytest.mark.parametrize("place", ["http://127.0.0.1:1/keys", "file:///etc/hostname", "", None, 7])
def test_keys_are_read_by_https_alone(place: object, provider: OidcProvider) -> None:
    provider.replies[DISCOVERY] = 200, json.dumps({"issuer": provider.issuer, "jwks_uri": place}).encode()
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


def test_an_outage_is_survived_by_the_keys_that_are_there_and_new_ones_are_not_called_unauthorized(
    provider: OidcProvider,
) -> None:
    asked(provider.token())
    provider.replies[KEYS] = BROKEN["down"]
    handler.provider_keys().clock = lambda: time.time() + 7200
    assert asked(provider.token())
    with pytest.raises(KeysUnavailable):
        asked(provider.token(key=signing_key(number=1)))
    handler.provider_keys().clock = lambda: time.time() + 90_000
    with pytest.raises(KeysUnavailable):
        asked(provider.token())


def test_while_a_provider_is_down_it_is_asked_now_and_then(provider: OidcProvider) -> None:
    provider.replies[DISCOVERY] = BROKEN["down"]
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            asked(provider.token())
    assert provider.asked[DISCOVERY] <= 3
    del provider.replies[DISCOVERY]
    handler.provider_keys().clock = lambda: time.time() + 10
    assert asked(provider.token())
