"""A TCP proxy before PostgreSQL that fails as networks, failovers and sleeping databases do."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TICK_SECONDS = 0.05
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no time: a reset instead of an orderly end


class FaultProxy:
    """Passes bytes between its clients and ``upstream``, a port on 127.0.0.1, unless it is told otherwise.

    ``opened`` counts the connections that clients have made so far.
    """

    def __init__(self, upstream: int) -> None:
        self.opened = 0
        self._upstream = upstream
        self._delay = 0.0
        self._silenced = 0  # connections up to this one are deaf and dumb
        self._stopped = threading.Event()
        self._listening = _bound(0)
        self._changing = threading.Lock()
        self._links: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self.port: int = self._listening.getsockname()[1]

    def lead_to(self, upstream: int) -> None:
        """New connections: an address that has moved. Open ones stay where they are."""
        self._upstream = upstream

    def delay(self, seconds: float) -> None:
        """New connections are taken at once and passed on so much later: a database that has to wake up."""
        self._delay = seconds

    def silence(self) -> None:
        """Connections that are open: nothing goes through any more, and neither side is told."""
        self._silenced = self.opened

    def cut(self) -> None:
        """Resets the connections that are open."""
        for client in list(self._links.values()):
            with contextlib.suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                client.shutdown(socket.SHUT_RD)

    def refuse(self) -> None:
        """New connections, at once. The port stays taken."""
        with self._changing:
            self._listening.close()
            self._listening = _bound(self.port)

    def listen(self) -> None:
        """Takes connections, at first or again."""
        self._listening.listen(64)

    @contextmanager
    def serving(self) -> Iterator["FaultProxy"]:
        self.listen()
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._stopped.set()
            accepting.join()
            self._listening.close()
            for thread in self._threads:
                thread.join()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._changing:
                    client, _ = self._listening.accept()
            except OSError:  # a time-out, or refusing at the moment
                self._stopped.wait(TICK_SECONDS / 5)
                continue
            client.settimeout(None)
            self.opened += 1
            self._links[self.opened] = client
            thread = threading.Thread(target=self._serve, args=(self.opened, client, self._delay))
            self._threads.append(thread)
            thread.start()

    def _serve(self, number: int, client: socket.socket, delay: float) -> None:
        with client, contextlib.suppress(OSError):  # of a side that has gone
            self._stopped.wait(delay)
            with socket.create_connection(("127.0.0.1", self._upstream)) as server:
                self._pass_on(number, client, server)
        del self._links[number]

    def _pass_on(self, number: int, client: socket.socket, server: socket.socket) -> None:
        others = {client: server, server: client}
        while not self._stopped.is_set():
            for readable in select.select(list(others), [], [], TICK_SECONDS)[0]:
                data = readable.recv(1 << 16)
                if not data:
                    return
                if number > self._silenced:
                    others[readable].sendall(data)


def _bound(port: int) -> socket.socket:
    """Not listening yet, so that clients are refused and nobody else can have the port."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.settimeout(TICK_SECONDS)
    bound.bind(("127.0.0.1", port))
    return bound
