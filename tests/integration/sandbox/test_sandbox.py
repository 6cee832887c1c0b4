"""The sandbox with a parser that does its worst: what it does stays in its child."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bucketwise.errors import ParserUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from ingest.sandbox.client import Sandbox, SandboxLimits

PARSER = "tests.integration.sandbox.hostile_parser"
LIMITS = SandboxLimits(stall_seconds=1.0, cpu_seconds=1, memory_bytes=1 << 30, output_bytes=8 << 20)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process give these up")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox(LIMITS, PARSER)
    yield box
    box.close()


def servers() -> list[int]:
    """The fork servers of this process that have this parser; other tests have children too."""
    return children(os.getpid(), "-f", PARSER)


def children(process: int, *options: str) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process), *options], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def texts(sandbox: Sandbox, folder: Path, deeds: str) -> list[str]:
    file = folder / "file"
    file.write_text(deeds, encoding="utf-8")
    with sandbox.parse(file, key="key", content_type=None) as document:
        return [block.text for block in document.blocks]


def test_blocks_places_and_facts_come_through(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("nothing nothing", encoding="utf-8")
    with sandbox.parse(tmp_path / "file", key="schön ☂", content_type=None) as document:
        assert (document.title, document.pages) == (None, None)
        blocks = list(document.blocks)
    assert [block.place.page for block in blocks] == [1, None, None]
    assert blocks[1].place.heading == ("nothing",)
    assert (document.title, document.pages, document.separator) == ("schön ☂", 2, "\n")


@pytest.mark.parametrize(
    ("deed", "reason", "words"),
    [
        ("hang", FailureReason.TOO_COMPLEX, "seconds"),
        ("grow", FailureReason.TOO_COMPLEX, "memory"),
        ("crash", FailureReason.CORRUPT, "SIGSEGV"),
        ("exit", FailureReason.CORRUPT, "ended early"),
        ("panic", FailureReason.CORRUPT, "KeyboardInterrupt"),
    ],
)
def test_a_child_that_is_lost_is_a_failure_of_its_document_alone(
    sandbox: Sandbox, tmp_path: Path, deed: str, reason: FailureReason, words: str
) -> None:
    before = sandbox.lost_children, sandbox.hung_children
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, f"nothing {deed}")
    assert caught.value.reason is reason
    assert words in caught.value.hint
    assert sandbox.lost_children == before[0] + (deed != "grow")
    assert sandbox.hung_children == before[1] + (deed == "hang")
    assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]


def test_processor_time_is_bounded_also_while_it_talks(tmp_path: Path) -> None:
    sandbox = Sandbox(SandboxLimits(stall_seconds=20, cpu_seconds=1, memory_bytes=1 << 30), PARSER)
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "nothing spin")
    sandbox.close()
    assert (caught.value.reason, "time" in caught.value.hint) == (FailureReason.TOO_COMPLEX, True)


def test_a_child_that_cannot_be_confined_says_nothing_of_its_document(tmp_path: Path) -> None:
    unconfined = "tests.integration.sandbox.unconfined_parser"
    with closing(Sandbox(LIMITS, unconfined)) as sandbox, pytest.raises(ParserUnavailable, match="confined"):
        texts(sandbox, tmp_path, "nothing")


def test_output_is_bounded(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "babble " * 20)
    assert caught.value.reason is FailureReason.TOO_COMPLEX


def test_a_document_that_is_not_read_to_its_end_leaves_no_child(tmp_path: Path) -> None:
    others = set(servers())
    sandbox = Sandbox(LIMITS, PARSER)
    (tmp_path / "file").write_text("babble babble babble hang", encoding="utf-8")
    with sandbox.parse(tmp_path / "file", key="key", content_type=None) as document:
        next(document.blocks)
    (server,) = set(servers()) - others
    assert children(server) == []
    assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]
    sandbox.close()


@linux_only
@pytest.mark.parametrize("deed", ["connect", "execute", "fork", "kill_parent", "write_file"])
def test_a_child_may_not(sandbox: Sandbox, tmp_path: Path, deed: str) -> None:
    assert texts(sandbox, tmp_path, deed)[1].startswith("refused: ")


def test_a_child_sees_nothing_of_the_functions_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-of-the-environment")
    sandbox = Sandbox(LIMITS, PARSER)
    seen = texts(sandbox, tmp_path, "environment environment_of_server")
    sandbox.close()
    assert "OPENAI_API_KEY" not in " ".join(seen)
    assert "canary" not in " ".join(seen)


@linux_only
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every process; Lambda's user is not root")
def test_a_child_cannot_read_the_functions_own_environment(sandbox: Sandbox, tmp_path: Path) -> None:
    assert texts(sandbox, tmp_path, "environment_of_function")[1] == "refused: PermissionError"


def test_a_server_that_was_lost_is_started_again(tmp_path: Path) -> None:
    others = set(servers())
    sandbox = Sandbox(LIMITS, PARSER)
    texts(sandbox, tmp_path, "nothing")
    (server,) = set(servers()) - others
    os.kill(server, signal.SIGKILL)
    with pytest.raises(ParserUnavailable):
        texts(sandbox, tmp_path, "nothing")
    assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]
    sandbox.close()
