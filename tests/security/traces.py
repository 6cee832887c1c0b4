"""X-Ray's daemon, as far as a function knows it: a UDP port that takes what is said."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class TraceInbox:
    port: int = 0
    packets: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator["TraceInbox"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", 0))
            bound.settimeout(0.1)
            self.port = bound.getsockname()[1]
            closed = threading.Event()
            taking = threading.Thread(target=self._take, args=(bound, closed))
            taking.start()
            try:
                yield self
            finally:
                closed.set()
                taking.join()

    def _take(self, bound: socket.socket, closed: threading.Event) -> None:
        while not closed.is_set():
            with suppress(TimeoutError):
                self.packets.append(bound.recv(1 << 16).decode())
