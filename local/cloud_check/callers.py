"""How a request proves who sends it: by SigV4, by a bearer token, or not at all."""

from dataclasses import dataclass
from typing import Protocol, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials


class Caller(Protocol):
    def headers(self, method: str, url: str, body: bytes | None) -> dict[str, str]:
        """All headers to send."""

    def forged(self) -> Self:
        """One that claims to be the same and cannot prove it."""


@dataclass(frozen=True, slots=True)
class SigningCaller:
    """Signs for API Gateway with AWS credentials."""

    credentials: ReadOnlyCredentials
    region: str

    def headers(self, method: str, url: str, body: bytes | None) -> dict[str, str]:
        request = AWSRequest(method, url, headers=_content(body), data=body)
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return dict(request.headers.items())

    def forged(self) -> Self:
        wrong = self.credentials.secret_key[::-1] + "0"
        return type(self)(self.credentials._replace(secret_key=wrong), self.region)


@dataclass(frozen=True, slots=True)
class BearerCaller:
    """Sends a token, such as a JWT."""

    token: str

    def headers(self, method: str, url: str, body: bytes | None) -> dict[str, str]:  # noqa: ARG002  # of the protocol
        return {**_content(body), "Authorization": f"Bearer {self.token}"}

    def forged(self) -> Self:
        """The same claims under another signature, if it is a JWT."""
        claims, dot, signature = self.token.rpartition(".")
        return type(self)(f"{claims}{dot}{signature[::-1]}0")


class AnonymousCaller:
    def headers(self, method: str, url: str, body: bytes | None) -> dict[str, str]:  # noqa: ARG002  # of the protocol
        return _content(body)

    def forged(self) -> Self:
        return self


def _content(body: bytes | None) -> dict[str, str]:
    return {} if body is None else {"Content-Type": "application/json"}
