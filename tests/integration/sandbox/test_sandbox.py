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
from ingest.sandbox.losses import How, Loss

PARSER = "tests.integration.sandbox.hostile_parser"
LIMITS = SandboxLimits(stall_seconds=1.0, cpu_seconds=1, memory_bytes=1 << 30, output_bytes=8 << 20)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process give these up")


@pytest.fixture(scope="module")
def losses() -> list[Loss]:
    return []


@pytest.fixture(scope="module")
def sandbox(losses: list[Loss]) -> Iterator[Sandbox]:
    with closing(Sandbox(LIMITS, losses.append, PARSER)) as box:
        yield box


def servers() -> list[int]:
    """The fork servers of this process that have this parser; other tests have children too."""
    return children(os.getpid(), "-f", PARSER)


def children(process: int, *options: str) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process), *options], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def no_loss(loss: Loss) -> None:
    raise AssertionError(loss)


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
    ("deed", "reason", "words", "how"),
    [
        ("hang", FailureReason.TOO_COMPLEX, "time", How.HUNG),
        ("linger", FailureReason.TOO_COMPLEX, "time", How.LIMITS),
        ("grow", FailureReason.TOO_COMPLEX, "memory", How.LIMITS),
        ("crash", FailureReason.CORRUPT, "SIGSEGV", How.CRASHED),
        ("exit", FailureReason.CORRUPT, "early end", How.CRASHED),
        ("panic", FailureReason.CORRUPT, "KeyboardInterrupt", How.CRASHED),
        ("huge_frame", FailureReason.CORRUPT, "garbled", How.CRASHED),
        ("garble", FailureReason.CORRUPT, "garbled", How.CRASHED),
        ("lie", FailureReason.CORRUPT, "garbled", How.CRASHED),
        ("nul", FailureReason.CORRUPT, "garbled", How.CRASHED),
    ],
)
def test_a_child_that_is_lost_is_a_failure_of_its_document_alone(
    sandbox: Sandbox, losses: list[Loss], tmp_path: Path, deed: str, reason: FailureReason, words: str, how: How
) -> None:
    losses.clear()
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, f"nothing {deed}")
    assert caught.value.reason is reason
    assert words in caught.value.hint
    assert [loss.how for loss in losses] == [how]
    assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]


def test_a_crash_with_much_memory_in_use_is_one_for_want_of_more(tmp_path: Path) -> None:
    losses: list[Loss] = []
    limits = SandboxLimits(stall_seconds=20, cpu_seconds=20, memory_bytes=768 << 20)
    with closing(Sandbox(limits, losses.append, PARSER)) as sandbox, pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "nothing swell")
    assert caught.value.reason is FailureReason.TOO_COMPLEX
    assert [loss.how for loss in losses] == [How.LIMITS]


def test_a_child_s_own_words_are_no_cause(sandbox: Sandbox, losses: list[Loss], tmp_path: Path) -> None:
    losses.clear()
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "nothing odd_name")
    assert "Confidential" not in caught.value.hint
    assert losses == [Loss(How.CRASHED, "an exception")]


def test_a_server_that_is_lost_in_the_middle_is_worth_another_try(tmp_path: Path) -> None:
    others = set(servers())
    with closing(Sandbox(LIMITS, no_loss, PARSER)) as sandbox:
        (tmp_path / "file").write_text("babble " * 5 + "hang", encoding="utf-8")
        with sandbox.parse(tmp_path / "file", key="key", content_type=None) as document:
            next(document.blocks)
            (server,) = set(servers()) - others
            os.kill(server, signal.SIGKILL)
            with pytest.raises(ParserUnavailable):
                list(document.blocks)
        assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]


def test_processor_time_is_bounded_also_while_it_talks(tmp_path: Path) -> None:
    sandbox = Sandbox(SandboxLimits(stall_seconds=20, cpu_seconds=1, memory_bytes=1 << 30), lambda _: None, PARSER)
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "nothing spin")
    sandbox.close()
    assert (caught.value.reason, "time" in caught.value.hint) == (FailureReason.TOO_COMPLEX, True)


def test_a_child_that_cannot_be_confined_says_nothing_of_its_document(tmp_path: Path) -> None:
    unconfined = "tests.integration.sandbox.unconfined_parser"
    with closing(Sandbox(LIMITS, no_loss, unconfined)) as sandbox, pytest.raises(ParserUnavailable, match="confined"):
        texts(sandbox, tmp_path, "nothing")


def test_output_is_bounded(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        texts(sandbox, tmp_path, "babble " * 20)
    assert caught.value.reason is FailureReason.TOO_COMPLEX


def test_a_document_that_is_not_read_to_its_end_leaves_no_child(tmp_path: Path) -> None:
    others = set(servers())
    sandbox = Sandbox(LIMITS, no_loss, PARSER)
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
    sandbox = Sandbox(LIMITS, no_loss, PARSER)
    seen = texts(sandbox, tmp_path, "environment environment_of_server")
    sandbox.close()
    assert "OPENAI_API_KEY" not in " ".join(seen)
    assert "canary" not in " ".join(seen)


def test_a_server_that_was_lost_is_started_again(tmp_path: Path) -> None:
    others = set(servers())
    sandbox = Sandbox(LIMITS, no_loss, PARSER)
    texts(sandbox, tmp_path, "nothing")
    (server,) = set(servers()) - others
    os.kill(server, signal.SIGKILL)
    with pytest.raises(ParserUnavailable):
        texts(sandbox, tmp_path, "nothing")
    assert texts(sandbox, tmp_path, "nothing") == ["begun", "nothing"]
    sandbox.close()
