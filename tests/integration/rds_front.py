"""RDS's side of a login with an IAM token: TLS, the token as a password in the clear, its date and host checked."""

import datetime
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.integration.tls_front import SSL_REQUEST, pass_on

ASK_FOR_PASSWORD = struct.pack("!cii", b"R", 8, 3)  # PostgreSQL's protocol, "AuthenticationCleartextPassword"
REFUSED = b"SFATAL\0C28000\0MPAM authentication failed\0\0"


@dataclass
class RdsFront:
    """Before a PostgreSQL that trusts everybody. ``tokens`` are those it was given, ``refused`` how many it refused.

    ``good_for``: seconds, instead of RDS's 900. ``refuse_next``: how many logins it refuses whatever they bring.
    """

    certificate: Path
    to_port: int
    good_for: float = 900.0
    refuse_next: int = 0
    refused: int = 0
    tokens: list[str] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator["RdsFront"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener, context), daemon=True).start()
            yield self

    def _accept(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client, context), daemon=True).start()

    def _serve(self, client: socket.socket, context: ssl.SSLContext) -> None:
        with suppress(OSError), client:
            if client.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
                return
            client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as secure:
                start = _message(secure, first=b"")
                secure.sendall(ASK_FOR_PASSWORD)
                token = _message(secure, first=b"p")[4:-1].decode()
                if not self._admits(token):
                    secure.sendall(struct.pack("!ci", b"E", 4 + len(REFUSED)) + REFUSED)
                    return
                with socket.create_connection(("127.0.0.1", self.to_port)) as server:
                    server.sendall(start)
                    answers = threading.Thread(target=pass_on, args=(server, secure), daemon=True)
                    answers.start()
                    pass_on(secure, server)
                    answers.join()

    def _admits(self, token: str) -> bool:
        self.tokens.append(token)
        self.refuse_next -= 1
        parts = urlsplit(f"//{token}")
        told = parse_qs(parts.query)
        if "X-Amz-Date" not in told:  # a password
            self.refused += 1
            return False
        signed = datetime.datetime.strptime(told["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        age = (datetime.datetime.now(datetime.UTC) - signed).total_seconds()
        is_good = self.refuse_next < 0 and age <= self.good_for and parts.port == self.port and "DBUser" in told
        self.refused += not is_good
        return is_good


def _message(connection: ssl.SSLSocket, *, first: bytes) -> bytes:
    """The length of a message and its content, behind its type ``first`` if it has one."""
    if first and _exactly(connection, 1) != first:
        raise OSError("another message")
    length = _exactly(connection, 4)
    return length + _exactly(connection, struct.unpack("!i", length)[0] - 4)


def _exactly(connection: ssl.SSLSocket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got))
        if not piece:
            raise OSError("cut short")
        got += piece
    return got
