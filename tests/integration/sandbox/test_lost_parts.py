"""A part that takes its child along: the document goes on behind it, and says what it lacks."""

from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import How, Loss
from tests.unit.make_office import zipped

PARSER = "tests.integration.sandbox.parts_parser"
LIMITS = SandboxLimits(stall_seconds=1.0, cpu_seconds=20, memory_bytes=1 << 30, output_bytes=8 << 20)
DAMAGED, TOO_COMPLEX = "it is damaged", "it is too complex"


@pytest.fixture(scope="module")
def losses() -> list[Loss]:
    return []


@pytest.fixture(scope="module")
def sandbox(losses: list[Loss]) -> Iterator[Sandbox]:
    with closing(Sandbox(LIMITS, losses.append, PARSER)) as box:
        yield box


@pytest.fixture(autouse=True)
def no_losses_yet(losses: list[Loss]) -> None:
    losses.clear()


def read(sandbox: Sandbox, folder: Path, name: str, content: bytes) -> tuple[list[Block], list[str], str | None]:
    """The blocks, what is skipped, and the title."""
    (folder / "file").write_bytes(content)
    with sandbox.parse(folder / "file", key=name, content_type=None) as document:
        blocks = list(document.blocks)
    return blocks, document.skipped, document.title


def text_of(blocks: list[Block]) -> str:
    return "".join(block.text for block in blocks)


def mail(**attachments: bytes) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Minutes", "ann@example.com"
    message.set_content("Attached.")
    for name, content in attachments.items():
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name.replace("__", ".")
        )
    return message.as_bytes()


@pytest.mark.parametrize(
    ("deed", "why", "how"),
    [
        ("hang", TOO_COMPLEX, How.HUNG),
        ("grow", TOO_COMPLEX, How.LIMITS),
        ("crash", DAMAGED, How.CRASHED),
        ("panic", DAMAGED, How.CRASHED),
    ],
)
def test_the_other_parts_are_read(
    sandbox: Sandbox, losses: list[Loss], tmp_path: Path, deed: str, why: str, how: How
) -> None:
    content = mail(a__txt=b"one two", b__txt=f"three {deed} four".encode(), c__txt=b"five")
    blocks, skipped, title = read(sandbox, tmp_path, "m.eml", content)
    assert text_of(blocks).split("Attached.")[1].split() == ["one|two|", "three|", "five|"]
    assert (skipped, title) == ([f"b.txt: {why}"], "Minutes")
    assert [loss.how for loss in losses] == [how]


def test_a_part_cut_short_is_ended_like_any_other(sandbox: Sandbox, tmp_path: Path) -> None:
    members = {"a.txt": "one two", "b.txt": "three crash", "c.txt": "five"}
    blocks, _, _ = read(sandbox, tmp_path, "a.zip", zipped(members))
    assert text_of(blocks) == "one|two|\n\nthree|\n\nfive|\n\n"
    assert [(block.place.part, block.place.page) for block in blocks if block.text.strip()] == [
        ("a.txt", 1), ("a.txt", 2), ("b.txt", 1), ("c.txt", 1)
    ]  # fmt: skip


def test_of_parts_in_parts_the_innermost_is_passed_by(sandbox: Sandbox, losses: list[Loss], tmp_path: Path) -> None:
    inner = zipped({"b.txt": "one crash", "c.txt": "two", "d.txt": "hang", "e.txt": "three"})
    content = zipped({"a.txt": "zero", "inner.zip": inner, "f.txt": "four crash", "g.txt": "five"})
    blocks, skipped, _ = read(sandbox, tmp_path, "a.zip", content)
    assert text_of(blocks).split() == ["zero|", "one|", "two|", "three|", "four|", "five|"]
    assert skipped == [f"inner.zip: b.txt: {DAMAGED}", f"inner.zip: d.txt: {TOO_COMPLEX}", f"f.txt: {DAMAGED}"]
    assert len(losses) == 3


def test_the_first_part_may_be_the_lost_one(sandbox: Sandbox, tmp_path: Path) -> None:
    blocks, skipped, _ = read(sandbox, tmp_path, "a.zip", zipped({"a.txt": "exit", "b.txt": "one"}))
    assert (text_of(blocks), skipped) == ("one|\n\n", [f"a.txt: {DAMAGED}"])


def test_a_mail_of_a_mailbox_loses_its_attachment_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    mails = [mail(a__txt=b"one"), mail(b__txt=b"crash", c__txt=b"two"), mail(d__txt=b"three")]
    content = b"".join(b"From ann Mon\n" + each + b"\n\n" for each in mails)
    blocks, skipped, _ = read(sandbox, tmp_path, "m.mbox", content)
    assert text_of(blocks).count("Attached.") == 3
    assert [word for word in text_of(blocks).split() if word.endswith("|")] == ["one|", "two|", "three|"]
    assert skipped == [f"message 2: b.txt: {DAMAGED}"]


def test_nothing_is_handed_on_twice_or_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    """Wherever the part stands that is lost, what comes before it is what a document without it has there."""
    words = [f"{number} {number}" for number in range(6)]
    for lost in range(6):
        members = {f"{n}.txt": f"{text} crash" if n == lost else text for n, text in enumerate(words)}
        blocks, _, _ = read(sandbox, tmp_path, "a.zip", zipped(members))
        assert text_of(blocks) == "".join(f"{n}|{n}|\n\n" for n in range(6))


def test_a_document_of_lost_parts_alone_fails_for_the_first_one(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        read(sandbox, tmp_path, "a.zip", zipped({"a.txt": "hang", "b.txt": "crash"}))
    assert caught.value.reason is FailureReason.TOO_COMPLEX


def test_a_part_lost_halfway_may_be_all_that_there_is(sandbox: Sandbox, tmp_path: Path) -> None:
    blocks, skipped, _ = read(sandbox, tmp_path, "a.zip", zipped({"a.txt": "one crash"}))
    assert (text_of(blocks), skipped) == ("one|\n\n", [f"a.txt: {DAMAGED}"])


def test_the_fourth_lost_part_is_too_much(sandbox: Sandbox, losses: list[Loss], tmp_path: Path) -> None:
    three = {f"{n}.txt": "crash" for n in range(3)}
    assert len(read(sandbox, tmp_path, "a.zip", zipped({**three, "z.txt": "one"}))[1]) == 3
    losses.clear()
    with pytest.raises(UnreadableDocument) as caught:
        read(sandbox, tmp_path, "a.zip", zipped({**three, "3.txt": "crash", "z.txt": "one"}))
    assert (caught.value.reason, "one by one" in caught.value.hint) == (FailureReason.CORRUPT, True)
    assert len(losses) == 4


def test_what_is_lost_between_the_parts_is_not_blamed_on_one(
    sandbox: Sandbox, losses: list[Loss], tmp_path: Path
) -> None:
    with pytest.raises(UnreadableDocument):
        read(sandbox, tmp_path, "a.outer", b"one")
    assert len(losses) == 1


def test_no_other_child_is_started_when_time_is_up(tmp_path: Path) -> None:
    losses: list[Loss] = []
    limits = SandboxLimits(stall_seconds=0.6, cpu_seconds=1, memory_bytes=1 << 30)
    members = {"a.txt": "hang", "b.txt": "hang", "c.txt": "one"}
    with closing(Sandbox(limits, losses.append, PARSER)) as sandbox, pytest.raises(UnreadableDocument):
        read(sandbox, tmp_path, "a.zip", zipped(members))
    assert len(losses) == 2
