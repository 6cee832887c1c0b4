"""``make demo`` and ``make dev`` as programs: they do what they say, and leave nothing running."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local import ROOT
from local.api import Api

START_SECONDS = 60.0


def wait_until(done: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def processes_of(marker: str) -> list[str]:
    """Command lines of running processes that hold ``marker``; -ww as ps cuts lines to $COLUMNS otherwise."""
    listing = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if marker in line]


@contextmanager
def dev(home: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """``make dev`` with its state in ``home``, and the API's URL."""
    output = home.with_suffix(".out")
    with output.open("wb") as sink:
        command = [sys.executable, "-m", "local.dev", "--home", str(home)]
        process = subprocess.Popen(command, stdout=sink, stderr=sink, cwd=ROOT)
    try:
        wait_until(lambda: "Ctrl-C stops it" in output.read_text() or process.poll() is not None)
        found = re.search(r"^API +(\S+)", output.read_text(), re.MULTILINE)
        assert found, output.read_text()
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def indexed(url: str, key: str) -> bool:
    reply = Api(url).get("/documents", key=key)
    return reply.status == 200 and bool(reply.body["documents"][0]["state"] == "indexed")


def test_the_demo_does_what_it_tells() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("27 days", "29 days", "page 4", "no answer", "The answers followed the bucket."):
        assert told in done.stdout


def test_what_was_dropped_survives_a_restart_and_nothing_is_left_running(tmp_path: Path) -> None:
    home = tmp_path / "dev-home"
    with dev(home) as (process, url):
        (home / "documents" / "walrus.txt").write_text("The walrus statue weighs 412 kilograms.")
        wait_until(lambda: indexed(url, "walrus.txt"))
        process.send_signal(signal.SIGINT)
        assert process.wait(START_SECONDS) == 0
    wait_until(lambda: processes_of(str(home)) == [], seconds=10)
    with dev(home) as (_, url):
        assert indexed(url, "walrus.txt")
        answer = Api(url).post("/ask", {"question": "How much does the walrus statue weigh?"}).body
        assert "412 kilograms" in answer["answer"]
        (home / "documents" / "walrus.txt").unlink()
        wait_until(lambda: not indexed(url, "walrus.txt"))


def test_a_killed_twin_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "killed-home"
    with dev(home) as (process, _):
        assert len(processes_of(str(home))) > 2
        process.kill()
        process.wait()
        wait_until(lambda: processes_of(str(home)) == [], seconds=30)
