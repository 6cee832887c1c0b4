"""What the authorizer says of who sends a token, and what it says nobody."""

import contextlib

import pytest

from authorize import handler
from authorize.fetching import KeysUnavailable
from authorize.handler import Unauthorized
from bucketwise.errors import InvalidSettings
from tests.integration.authorizer_calls import API, asked, configure, provider
from tests.integration.oidc_provider import DISCOVERY, KEYS, OidcProvider
from tests.unit.fakes import log_to_current_stdout

__all__ = ["provider"]


def test_the_tenant_is_what_one_claim_says(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, JWT_TENANT_CLAIM="https://example.com/tenant", TENANT="stack")
    for tenant in ("acme", "Globex Ltd", "企業"):
        assert asked(provider.token({"https://example.com/tenant": tenant}))["context"] == {"tenant": tenant}


@pytest.mark.parametrize("claim", [None, "", " ", "a ", "a\0b", "x" * 257, 7, True, ["acme"], {"acme": 1}])
def test_a_token_that_names_no_tenant_is_denied_everything(
    claim: object, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, JWT_TENANT_CLAIM="tenant")
    result = asked(provider.token(tenant=claim, TENANT="acme"))
    [statement] = result["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"], result["context"]) == ("Deny", f"{API}/*/*", {})


def test_subjects_of_two_issuers_are_two_principals(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    one = asked(provider.token())["principalId"]
    configure(monkeypatch, JWT_ISSUER="https://other.test", JWT_KEYS_URL=f"{provider.issuer}{KEYS}")
    assert asked(provider.token(iss="https://other.test"))["principalId"] != one


def test_nothing_of_a_token_goes_into_a_log(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_current_stdout(handler.telemetry)
    configure(monkeypatch, JWT_TENANT_CLAIM="tenant")
    tokens = [
        provider.token(sub="canary-mary", tenant="canary-acme"),
        provider.token(sub="canary-mary", tenant=["canary-acme"]),
        provider.token(sub="canary-mary", exp=1),
        provider.token(sub="canary-mary", aud="canary-others"),
        provider.token(sub="canary-mary", headers={"kid": "canary-key"}),
    ]
    for token in tokens:
        with contextlib.suppress(Unauthorized):
            asked(token)
    provider.replies[DISCOVERY] = 503, b"{}"
    handler.provider_keys.cache_clear()
    with pytest.raises(KeysUnavailable) as raised:
        asked(tokens[0])
    said = capsys.readouterr().out + str(raised.value)
    assert '"why":"ExpiredSignatureError"' in said
    assert "canary" not in said
    assert not any(part in said for token in tokens for part in token.split("."))


def test_an_authorizer_that_is_not_set_up_lets_nobody_in(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in [
        ("JWT_ISSUER", ""),
        ("JWT_ISSUER", "http://issuer.test"),
        ("JWT_AUDIENCE", ""),
        ("JWT_ALGORITHMS", "HS256"),
        ("JWT_ALGORITHMS", "RS256,none"),
        ("JWT_KEYS_URL", "http://issuer.test/keys"),
        ("JWT_KEYS_URL", "file:///etc/hostname"),
    ]:
        with monkeypatch.context() as changed:
            configure(changed, **{name: value})
            with pytest.raises(InvalidSettings, match=r"JWT_|https"):
                asked(provider.token())
    configure(monkeypatch)
    assert asked(provider.token())
