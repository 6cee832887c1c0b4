"""The provider's public keys, kept from one invocation to the next."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from authorize.fetching import KeysUnavailable, fetch_json

FRESH_SECONDS = 3600.0
"""So old may keys be before they are fetched anew: a key that the provider took back is good for no longer."""
STALE_SECONDS = 86_400.0
"""So old may they be while the provider does not answer."""
PAUSE_SECONDS = 60.0
"""Between two fetches: whoever sends tokens with keys that nobody has causes no more."""
PAUSE_AFTER_FAILURE_SECONDS = 5.0

# The algorithms that a key of a type (RFC 7518, 6.1; RFC 8037, 2) and curve can check.
_FITTING: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """``public`` is a key of the package cryptography; ``algorithms`` are those that are allowed and that it fits."""

    kid: str | None
    algorithms: Sequence[str]
    public: Any


@dataclass(slots=True)
class ProviderKeys:
    """One invocation at a time, as in Lambda. ``clock`` is in seconds, and goes on while an environment is frozen."""

    fetch: Callable[[], list[VerifyingKey]]
    clock: Callable[[], float] = time.time
    _keys: list[VerifyingKey] = field(default_factory=list)
    _fetched_at: float = 0.0
    _next_fetch_at: float = 0.0
    _is_failing: bool = False

    def get(self, kid: str | None) -> VerifyingKey | None:
        """The key of that id, or without one the only key there is; None if the provider has none such.

        Raises KeysUnavailable if that cannot be told.
        """
        now = self.clock()
        found = self._find(kid)
        if (found is None or now - self._fetched_at > FRESH_SECONDS) and now >= self._next_fetch_at:
            self._refresh(now)
            found = self._find(kid)
        is_stale = now - self._fetched_at > STALE_SECONDS
        if self._is_failing and (found is None or is_stale):
            raise KeysUnavailable("the provider's keys could not be fetched")
        return found

    def _refresh(self, now: float) -> None:
        """What is there stays if nothing comes."""
        try:
            self._keys = self.fetch()
        except KeysUnavailable:
            self._is_failing, self._next_fetch_at = True, now + PAUSE_AFTER_FAILURE_SECONDS
            return
        self._fetched_at, self._is_failing, self._next_fetch_at = now, False, now + PAUSE_SECONDS

    def _find(self, kid: str | None) -> VerifyingKey | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)


def fetch_keys(issuer: str, keys_url: str, allowed: Sequence[str]) -> list[VerifyingKey]:
    """The keys at ``keys_url``, or where the issuer's discovery document says (OpenID Connect Discovery 1.0, 4).

    Raises KeysUnavailable, also if there are none that fit.
    """
    found = verifying_keys(fetch_json(keys_url or _discovered(issuer)), allowed)
    if not found:
        raise KeysUnavailable("the provider has no key for any of JWT_ALGORITHMS")
    return found


def verifying_keys(document: Mapping[str, Any], allowed: Sequence[str]) -> list[VerifyingKey]:
    """Those of a JWK set (RFC 7517, 5) that can check signatures by what is allowed; all others are passed over."""
    keys = document.get("keys")
    found = [_verifying_key(key, allowed) for key in (keys if isinstance(keys, list) else [])]
    return [key for key in found if key is not None]


def _discovered(issuer: str) -> str:
    document = fetch_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise KeysUnavailable("the discovery document is of another issuer than JWT_ISSUER")
    return str(document.get("jwks_uri"))


def _verifying_key(jwk: Any, allowed: Sequence[str]) -> VerifyingKey | None:
    if not isinstance(jwk, dict) or "d" in jwk:  # a private key in a public place is nobody's any more
        return None
    kid, kind, curve, use = (jwk.get(name) for name in ("kid", "kty", "crv", "use"))
    if not isinstance(kind, str) or not isinstance(curve, str | None) or not isinstance(kid, str | None):
        return None
    fitting = _FITTING.get((kind, None if kind == "RSA" else curve), ())
    algorithms = [each for each in fitting if each in allowed and jwk.get("alg") in (None, each)]
    if not algorithms or use not in (None, "sig"):
        return None
    try:
        public = PyJWK(jwk, algorithm=algorithms[0]).key
    except (PyJWTError, ValueError, TypeError):
        return None
    return VerifyingKey(kid, algorithms, public)
