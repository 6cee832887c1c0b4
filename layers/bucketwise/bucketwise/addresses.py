"""A host's several addresses, tried one after the other in one time.

What connects to a host by its name gives each of its addresses the whole time-out.
"""

import socket
from collections.abc import Iterator, Sequence
from typing import TypeVar

from bucketwise.deadline import Deadline

T = TypeVar("T")

# A packet that opens a connection is sent again after a second if it was lost.
LEAST_SECONDS = 1.0


def addresses(host: str, port: int) -> list[str]:
    """In numbers, in the resolver's order, after as long as the resolver takes. Raises OSError."""
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def in_turn(choices: Sequence[T], deadline: Deadline, least: float = LEAST_SECONDS) -> Iterator[tuple[T, float]]:
    """Each of ``choices`` with the seconds that it may take, as long as there are any.

    Those that are still to be tried share what is left alike, but have ``least`` seconds if there are as many.
    """
    for place, choice in enumerate(choices):
        left = deadline.remaining()
        if left <= 0:
            return
        yield choice, min(left, max(least, left / (len(choices) - place)))


def connect(address: tuple[str, int], seconds: float, source: tuple[str, int] | None = None) -> socket.socket:
    """As socket.create_connection, but in ``seconds``, the resolver's time not counted. Raises OSError."""
    host, port = address
    failure: OSError = TimeoutError("no address was left to try in time")
    for number, most in in_turn(addresses(host, port), Deadline.after(seconds)):
        try:
            connected = socket.create_connection((number, port), most, source)
        except OSError as error:
            failure = error
        else:
            connected.settimeout(seconds)
            return connected
    raise failure
