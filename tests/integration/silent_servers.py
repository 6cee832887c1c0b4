"""Servers that take a connection and then keep their client waiting, each in its own way."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 30.0  # after which a server lets go of a client that was not


@contextmanager
def silent_server(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """The port of a server that never answers: the system takes the connection, and nobody reads it."""
    with socket.create_server((address, port), backlog=64) as listening:
        yield listening.getsockname()[1]


@contextmanager
def deaf_server(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """The port of a server whose connections are never made: its queue is full, and the system drops what comes."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((address, port), backlog=0))
        where = listening.getsockname()
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(where)
        time.sleep(0.2)
        yield where[1]


@contextmanager
def trickling_server(reply: bytes, *, every: float = 0.1) -> Iterator[int]:
    """The port of a server that sends ``reply`` and then a space every so many seconds."""
    stopped = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(reply)
        for _ in range(int(PATIENCE_SECONDS / every)):
            if stopped.wait(every):
                return
            connection.sendall(b" ")

    with _serving(serve, stopped) as port:
        yield port


class FallingSilent:
    """A proxy before ``server``, a port, that goes on taking what is sent to it but passes nothing on once silenced."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._stopped = threading.Event()
        self._silenced = 0  # connections that were open at the last silence
        self._opened = 0
        self.port = 0

    def silence(self) -> None:
        """Of the connections that are open; a new one is a good one."""
        self._silenced = self._opened

    @contextmanager
    def serving(self) -> Iterator["FallingSilent"]:
        with _serving(self._pass_on, self._stopped) as self.port:
            yield self

    def _pass_on(self, client: socket.socket) -> None:
        self._opened += 1
        number = self._opened
        with socket.create_connection(("127.0.0.1", self._server)) as server:
            others = {client: server, server: client}
            until = time.monotonic() + PATIENCE_SECONDS
            while not self._stopped.is_set() and time.monotonic() < until:
                for readable in select.select(list(others), [], [], 0.05)[0]:
                    data = readable.recv(1 << 16)
                    if not data:
                        return
                    if number > self._silenced:
                        others[readable].sendall(data)


@contextmanager
def _serving(serve: Callable[[socket.socket], None], stopped: threading.Event) -> Iterator[int]:
    """A thread for each connection; the port. Ends with all of them."""
    threads: list[threading.Thread] = []

    def serve_one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # a client that gave up
            serve(connection)

    def accept(listening: socket.socket) -> None:
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listening.accept()
                connection.settimeout(PATIENCE_SECONDS)
                threads.append(threading.Thread(target=serve_one, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        accepting = threading.Thread(target=accept, args=(listening,))
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stopped.set()
            accepting.join()
            for thread in threads:
                thread.join()
