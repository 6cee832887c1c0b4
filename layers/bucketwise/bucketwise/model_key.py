"""The key for a model's server that stands in a secret, and may be rotated while an environment is warm."""

from collections.abc import Generator
from http import HTTPStatus

import httpx2

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, SecretUnavailable
from bucketwise.model_network import call_deadline
from bucketwise.secrets_manager import read_secret


class KeyInSecret(httpx2.Auth):
    """Read once, and again for each request that the server refuses it for (401), which is then sent once more if the
    secret holds another by now. If that cannot be read in the call's time, the refusal stands."""

    def __init__(self, secret: str) -> None:
        """Raises SecretUnavailable."""
        self._secret = secret
        self.key = read_secret(secret).strip()

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        sent = self.key
        request.headers["Authorization"] = f"Bearer {sent}"
        response = yield request
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return
        if self.key == sent:  # else another thread has read it meanwhile
            self._read_again(call_deadline())
        if self.key != sent:
            request.headers["Authorization"] = f"Bearer {self.key}"
            yield request

    def _read_again(self, deadline: Deadline) -> None:
        try:
            self.key = read_secret(self._secret, deadline).strip()
        except (SecretUnavailable, DeadlineExceeded):
            return
