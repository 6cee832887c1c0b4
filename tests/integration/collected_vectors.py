"""What tests of the collection of vectors do: let time pass, and stop a transaction just before its commit."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest
from psycopg import Connection

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from ingest.vectors import text_digest
from tests.integration.index_database import IndexDatabase, connected, settings_for
from tests.integration.indexed_documents import Tenant
from tests.unit.ingest_fakes import SOON

PATIENCE = 30.0  # seconds

T = TypeVar("T")


def grow_old(tenant: Tenant, database: IndexDatabase) -> None:
    """All that has a vector now has had it for more than a day."""
    with connected(database.superuser) as superuser:
        superuser.execute(
            "UPDATE bucketwise.embeddings SET created_at = created_at - interval '25 hours' WHERE tenant = %s",
            (tenant.index.tenant,),
        )


def texts_with_vectors(tenant: Tenant, *texts: str) -> set[str]:
    found = tenant.table.known_texts([text_digest(text) for text in texts], deadline=SOON)
    return {text for text in texts if text_digest(text) in found}


class Pausing(Database):
    """Once ``held``, its next work stops when all is done and nothing committed, until it is let go."""

    def __init__(self, dsn: str) -> None:
        super().__init__(lambda deadline: connect(settings_for(dsn), deadline))
        self.held = False
        self.stopped, self.let_go = threading.Event(), threading.Event()

    def run(self, work: Callable[[Connection], T], *, deadline: Deadline) -> T:
        def stopping(connection: Connection) -> T:
            result = work(connection)
            if self.held:
                self.held = False
                self.stopped.set()
                assert self.let_go.wait(PATIENCE)
            return result

        return super().run(stopping, deadline=deadline)


def begin(pool: ThreadPoolExecutor, pausing: Pausing, work: Callable[[], T]) -> "Future[T]":
    """``work``, up to just before its commit."""
    pausing.held = True
    begun = pool.submit(work)
    assert pausing.stopped.wait(PATIENCE)
    return begun


def wait_until_blocked(database: IndexDatabase) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(1000):
        if database.count(query):
            return
        time.sleep(0.01)
    pytest.fail("nobody waited for a lock")
