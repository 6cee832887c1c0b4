"""The migrate function's surroundings: CloudFormation, which waits for answers, and a database without a schema."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from local.postgres import Postgres

MODEL, DIMENSIONS = "model-for-tests", "8"


@dataclass
class CloudFormation:
    """Collects the answers that are put to its URL, and hangs up without a word on as many as it is to drop first."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    drops: int = 0


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    stack = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            if stack.drops:
                stack.drops -= 1
                self.close_connection = True
                return
            stack.answers.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the parent's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.url = f"http://127.0.0.1:{server.server_port}/answer"
        yield stack
        server.shutdown()


class Context:
    function_name = "migrate"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:migrate"
    aws_request_id = "request"

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@pytest.fixture
def administered(postgres: Postgres) -> str:
    """The URL of a new database for an administrator like RDS's master user: no superuser, but one who makes roles."""
    name = f"migrate_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        if superuser.execute("SELECT FROM pg_roles WHERE rolname = 'master'").fetchone() is None:
            superuser.execute("CREATE ROLE master LOGIN CREATEROLE CREATEDB")
        superuser.execute(sql.SQL("CREATE DATABASE {} OWNER master").format(sql.Identifier(name)))
    with psycopg.connect(postgres.dsn("postgres", name), autocommit=True) as superuser:
        superuser.execute("CREATE EXTENSION vector")  # on RDS its master user may
    return postgres.dsn("master", name)


@pytest.fixture(autouse=True)
def environment(administered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", administered)
    monkeypatch.setenv("EMBEDDING_MODEL", MODEL)
    monkeypatch.setenv("EMBEDDING_DIMENSIONS", DIMENSIONS)


def event(kind: str, stack: CloudFormation) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": stack.url,
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/bucketwise/1",
        "RequestId": "r-1",
        "LogicalResourceId": "Migration",
        "ResourceProperties": {"ContentHash": "abc"},
    }


def of_owner(url: str) -> str:
    """The same database for the schema's owner. The administrator is no member of it but during a migration."""
    return url.replace("//master@", "//bucketwise_migrate@")


def applied(url: str) -> list[str]:
    with psycopg.connect(of_owner(url)) as connection:
        rows = connection.execute("SELECT name FROM bucketwise.schema_migrations ORDER BY number").fetchall()
    return [row[0] for row in rows]
