"""A worker process that is killed leaves whole documents behind, and is counted; the redelivery does the rest."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from bench.chaos_checks import ONE, Indexed, expected
from bench.chaos_texts import chunks_of, make_text
from local import ROOT
from local.storage.client import Storage
from tests.integration.event_inbox import VERSIONED, put
from tests.integration.index_database import IndexDatabase, connected
from tests.integration.killed_worker import ACKNOWLEDGE, Job, work

KEY = "a.txt"
EMBED, IN_THE_SWAP, BEFORE_COMMIT = "embed", "store", "commit"


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        running.create_bucket(VERSIONED)
        yield running


@pytest.fixture
def job(storage: Storage, shared_index: IndexDatabase, tmp_path: Path) -> Job:
    """For a tenant that has nothing yet."""
    where = shared_index.ingest, uuid4().hex, storage.url, VERSIONED, KEY
    return Job(*where, ledger=str(tmp_path / "embedded"))


def killed(job: Job, kill_at: str) -> bool:
    """Whether the process died of it."""
    job = replace(job, kill_at=kill_at)
    command = [sys.executable, "-m", "tests.integration.killed_worker", job.to_json()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == -signal.SIGKILL


def held(job: Job, index: IndexDatabase) -> Indexed:
    with connected(index.superuser) as connection:
        row = connection.execute(ONE, (job.tenant, job.key)).fetchone()
    assert row is not None
    return Indexed.of(row)


def attempts(job: Job, index: IndexDatabase) -> int:
    return index.count("SELECT count(*) FROM bucketwise.attempts WHERE tenant = %s", job.tenant)


def embedded(job: Job) -> list[str]:
    return Path(job.ledger).read_text().splitlines()


@pytest.mark.parametrize("kill_at", [EMBED, IN_THE_SWAP, BEFORE_COMMIT, ACKNOWLEDGE])
def test_the_index_is_whole_after_a_kill_and_right_after_the_redelivery(
    job: Job, storage: Storage, shared_index: IndexDatabase, kill_at: str
) -> None:
    old, new = make_text(KEY, 1, 2), make_text(KEY, 2, 3)
    before = expected(put(storage, KEY, old.encode()), old)
    assert work(job) == "indexed"
    after = expected(put(storage, KEY, new.encode()), new)
    assert killed(job, kill_at)
    committed = kill_at == ACKNOWLEDGE
    assert held(job, shared_index) == (after if committed else before)
    assert attempts(job, shared_index) == (0 if committed else 1)
    assert work(job) == ("unchanged" if committed else "indexed")
    assert held(job, shared_index) == after
    assert attempts(job, shared_index) == 0
    assert len(embedded(job)) == len(set(embedded(job))) == len(chunks_of(old)) + len(chunks_of(new))


def test_a_version_that_kills_three_workers_is_not_tried_again_but_another_one_is(
    job: Job, storage: Storage, shared_index: IndexDatabase
) -> None:
    deadly, harmless = make_text(KEY, 1, 1), make_text(KEY, 2, 1)
    version = put(storage, KEY, deadly.encode())
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(killed, [job] * 3, [EMBED] * 3)) == [True] * 3
    assert attempts(job, shared_index) == 3
    with connected(shared_index.superuser) as connection:  # their time is up
        connection.execute(
            "UPDATE bucketwise.attempts SET over_by = clock_timestamp() WHERE tenant = %s", (job.tenant,)
        )
    assert work(job) == "failed"
    assert held(job, shared_index) == Indexed("failed", version, 0, {}, ())
    assert attempts(job, shared_index) == 0
    after = expected(put(storage, KEY, harmless.encode()), harmless)
    assert work(job) == "indexed"
    assert held(job, shared_index) == after
