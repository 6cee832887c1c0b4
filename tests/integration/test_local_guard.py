"""Servers of the local twin end with whoever started them, whatever way it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from local.postgres import Postgres
from local.process import GuardedProcess, ServerDied
from local.storage.client import Storage

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-I", "-S", "-u", "-c"]
READY = "import os, signal, time; say = lambda: print('{\"pid\": %d}' % os.getpid()); "


def running(*, below: int | None = None) -> set[int]:
    """Process ids of this machine, zombies left out; ``below``: descendants of that process only."""
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split() for line in listing.stdout.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}
    if below is None:
        return set(parents)
    family = {below}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {below}


def left_running(pids: set[int], *, patience: float = 10.0) -> set[int]:
    """Those of ``pids`` that still run when the patience is over; empty as soon as none does."""
    deadline = time.monotonic() + patience
    while (left := pids & running()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_a_guarded_command_is_reached_by_its_readiness_line_and_ends_when_stopped() -> None:
    with GuardedProcess.start([*PYTHON, READY + "print('not JSON'); say(); time.sleep(60)"]) as process:
        pid = process.read_ready()["pid"]
        assert pid in running()
    assert not process.alive
    assert not left_running({pid})


def test_a_command_that_ignores_the_signal_is_killed_after_the_grace_time() -> None:
    stubborn = READY + "signal.signal(signal.SIGTERM, signal.SIG_IGN); say(); time.sleep(60)"
    process = GuardedProcess.start([*PYTHON, stubborn], grace=0.3)
    pid = process.read_ready()["pid"]
    process.stop()
    assert process.wait(0) == 128 + signal.SIGKILL
    assert not left_running({pid})


def test_children_that_a_command_leaves_behind_end_with_it() -> None:
    leaving = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print('{\"pid\": %d}' % p.pid)"
    with GuardedProcess.start([*PYTHON, leaving]) as process:
        assert not left_running({process.read_ready()["pid"]})


def test_the_exit_code_of_the_command_is_passed_on() -> None:
    with GuardedProcess.start([*PYTHON, "raise SystemExit(7)"]) as process:
        assert process.wait(10) == 7


def test_a_server_that_dies_before_it_is_ready_is_reported_with_the_end_of_its_log() -> None:
    with (
        GuardedProcess.start([*PYTHON, "raise OSError('no such disk')"]) as process,
        pytest.raises(ServerDied, match=r"ended with code 1(.|\n)*no such disk"),
    ):
        process.read_ready()


def test_a_server_that_stays_silent_is_reported_after_the_timeout() -> None:
    with (
        GuardedProcess.start([*PYTHON, "import time; time.sleep(60)"]) as process,
        pytest.raises(ServerDied, match="not ready after"),
    ):
        process.read_ready(timeout=0.3)


def test_a_command_that_does_not_exist_is_reported_by_name(tmp_path: Path) -> None:
    with (
        GuardedProcess.start([tmp_path / "absent"]) as process,
        pytest.raises(ServerDied, match=r"cannot start .*absent"),
    ):
        process.read_ready()


def test_a_signal_reaches_the_command_and_not_its_guard() -> None:
    obedient = READY + "signal.signal(signal.SIGUSR1, lambda *_: os._exit(9)); say(); time.sleep(60)"
    with GuardedProcess.start([*PYTHON, obedient]) as process:
        process.read_ready()
        process.send_signal(signal.SIGUSR1)
        assert process.wait(10) == 9


def test_stopping_the_first_of_two_servers_does_not_wait_for_the_second() -> None:
    """A rope inherited by a later guard would keep the earlier one from noticing."""
    sleeper = [*PYTHON, READY + "say(); time.sleep(60)"]
    with GuardedProcess.start(sleeper) as first, GuardedProcess.start(sleeper) as second:
        first_pid, second_pid = first.read_ready()["pid"], second.read_ready()["pid"]
        first.stop()
        assert not left_running({first_pid}, patience=2.0)
        assert second_pid in running()


TWIN = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
from local.postgres import Postgres
from local.storage.client import Storage
data = Path(sys.argv[1])
postgres = Postgres.start(data / "pg", durable=False)
dsn = postgres.create_database("twin")
storage = Storage.start(data / "state")
storage.create_bucket("documents")
storage.s3.put_object(Bucket="documents", Key="kept.md", Body=b"kept")
import psycopg
with psycopg.connect(dsn) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS kept (answer int)")
    connection.execute("INSERT INTO kept VALUES (42)")
print("ready", flush=True)
time.sleep(60)
"""


def run_twin_until(ending: signal.Signals, data: Path) -> set[int]:
    """Ends a twin by a signal while its servers run; returns the process ids of those servers."""
    with subprocess.Popen(
        [sys.executable, "-c", TWIN, str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as twin:
        assert twin.stdout is not None
        assert twin.stdout.readline() == b"ready\n"
        servers = running(below=twin.pid)
        twin.send_signal(ending)
        twin.wait(60)
    return servers


def test_nothing_is_left_running_and_nothing_is_lost_when_the_twin_is_killed(tmp_path: Path) -> None:
    killed = run_twin_until(signal.SIGKILL, tmp_path)
    # At once: the servers of the killed twin may still be writing to the same folder.
    interrupted = run_twin_until(signal.SIGINT, tmp_path)
    assert min(len(killed), len(interrupted)) >= 6  # two guards, the storage, PostgreSQL and its helpers
    assert not left_running(killed | interrupted)
    with Storage.start(tmp_path / "state") as storage:
        assert storage.s3.get_object(Bucket="documents", Key="kept.md")["Body"].read() == b"kept"
    with (
        Postgres.start(tmp_path / "pg", durable=False) as postgres,
        psycopg.connect(postgres.create_database("twin")) as connection,
    ):
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,), (42,)]
