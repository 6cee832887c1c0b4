"""An OpenID Connect provider on 127.0.0.1, by HTTPS: discovery, keys, and tokens for a client's credentials."""

import base64
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.integration.tls_front import write_certificate

AUDIENCE = "bucketwise"
CLIENT, SECRET = "robot", "opens-nothing"
DISCOVERY, KEYS, TOKEN = "/.well-known/openid-configuration", "/keys", "/token"
# Making one takes a second; nothing is learnt from making many.
RSA_KEYS = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``private`` is a key of the package cryptography."""

    algorithm: str
    private: Any
    kid: str = field(default_factory=lambda: uuid4().hex)

    @property
    def jwk(self) -> dict[str, Any]:
        public = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "use": "sig", "alg": self.algorithm}


def signing_key(algorithm: str = "RS256", *, number: int = 0) -> SigningKey:
    """``number`` chooses among few RSA keys."""
    if algorithm == "EdDSA":
        return SigningKey(algorithm, ed25519.Ed25519PrivateKey.generate())
    if algorithm in CURVES:
        return SigningKey(algorithm, ec.generate_private_key(CURVES[algorithm]))
    return SigningKey(algorithm, RSA_KEYS[number])


@dataclass
class OidcProvider:
    """``asked`` counts requests by path. ``replies`` has raw replies (status, body) for paths, instead of good ones;
    ``dripping`` is a path that is answered a byte each tenth of a second.
    """

    issuer: str
    certificate: Path
    keys: list[SigningKey]
    asked: dict[str, int] = field(default_factory=dict)
    replies: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    dripping: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)

    def token(
        self,
        named: Mapping[str, Any] | None = None,
        /,
        *,
        key: SigningKey | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good one, with ``named`` and ``claims`` in place of its own; one that is None is left out."""
        signing, now = key or self.keys[0], int(time.time())
        own = {"iss": self.issuer, "aud": AUDIENCE, "sub": "mary", "iat": now, "exp": now + 600}
        said = {
            name: value for name, value in (own | self.claims | dict(named or {}) | claims).items() if value is not None
        }
        return jwt.encode(said, signing.private, signing.algorithm, {"kid": signing.kid} | dict(headers or {}))

    def reply(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.asked[path] = self.asked.get(path, 0) + 1
        if path in self.replies:
            return self.replies[path]
        if path == TOKEN:
            wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if authorization != f"Basic {wanted}":
                return 401, b'{"error": "invalid_client"}'
            return 200, json.dumps({"access_token": self.token(), "token_type": "Bearer", "expires_in": 600}).encode()
        documents: dict[str, Any] = {
            DISCOVERY: {"issuer": self.issuer, "jwks_uri": f"{self.issuer}{KEYS}"},
            KEYS: {"keys": [key.jwk for key in self.keys]},
        }
        return (200, json.dumps(documents[path]).encode()) if path in documents else (404, b"{}")


@contextmanager
def oidc_provider(folder: Path, name: str = "127.0.0.1") -> Iterator[OidcProvider]:
    """Trust ``certificate`` to reach it: SSL_CERT_FILE for Python, CURL_CA_BUNDLE for curl. ``name`` must lead here."""
    certificate = folder / "provider.pem"
    write_certificate(certificate, name=name)
    server = _Server(("127.0.0.1", 0), _Exchange)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    provider = OidcProvider(f"https://{name}:{server.server_port}", certificate, [signing_key()])
    server.RequestHandlerClass.provider = provider  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate, or goes away, is nothing to report."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    provider: OidcProvider
    timeout = 10

    def do_GET(self) -> None:
        status, body = self.provider.reply(self.path, self.headers.get("Authorization", ""))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            self.send_header("Location", body.decode())
        self.end_headers()
        if self.path == self.provider.dripping:
            for number in range(len(body)):
                self.wfile.write(body[number : number + 1])
                time.sleep(0.1)
        else:
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002  # the base class's name
