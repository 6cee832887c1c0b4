"""The network below calls to models: none outlasts the time it was given, however slowly its bytes come.

The SDK's time-out is one of each read: a server that sends a byte now and then outlives it. Here each step of a call
gets what is left of the call. Two things stay outside: resolving a host's name, which the system bounds by itself, and
a wait for a free connection, of which there are more than calls.
"""

import math
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2
import openai

from bucketwise.addresses import addresses, in_turn
from bucketwise.deadline import Deadline

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def call_time(seconds: float) -> Iterator[None]:
    """All that is sent and received within, over a client of ``within_call_time``, must be done in so many seconds."""
    before = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(before)


def call_deadline() -> Deadline:
    """When the call that is under way must be done."""
    return Deadline(_ends_at.get())


def within_call_time(client: openai.OpenAI) -> openai.OpenAI:
    """The same client, whose connections, through proxies too, end with the time of ``call_time``."""
    # Neither the SDK nor httpx lets a network be given without giving up the proxies named in the environment.
    http: httpx2.Client = client._client  # noqa: SLF001
    for transport in (http._transport, *http._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = _Network(httpcore2.SyncBackend())  # noqa: SLF001
    return client


def _left(most: float | None) -> float:
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the call's time is over")
    return left if most is None else min(left, most)


@dataclass(frozen=True, slots=True)
class _Network(httpcore2.NetworkBackend):
    """Connects in what is left of the call, however many addresses the host has."""

    network: httpcore2.NetworkBackend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = addresses(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        failure: Exception = httpcore2.ConnectTimeout("no address was left to try in time")
        for address, seconds in in_turn(found, Deadline.after(_left(timeout))):
            try:
                return _Stream(self.network.connect_tcp(address, port, seconds, local_address, socket_options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


@dataclass(frozen=True, slots=True)
class _Stream(httpcore2.NetworkStream):
    """A connection, be it one kept from an earlier call: what counts is the call that uses it."""

    stream: httpcore2.NetworkStream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)
