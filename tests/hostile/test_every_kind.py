"""Every kind of file that can be read is tried whole and broken: a new kind needs a sample here."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.kinds import KINDS, Kind
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from tests.hostile.mistaken import broken
from tests.hostile.samples import SAMPLES

of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with closing(Sandbox(SandboxLimits(stall_seconds=10, cpu_seconds=30), no_loss)) as box:
        yield box


def no_loss(loss: Loss) -> None:
    raise AssertionError(loss)


def text_of(sandbox: Sandbox, folder: Path, name: str, content: bytes) -> str:
    (folder / "file").write_bytes(content)
    with sandbox.parse(folder / "file", key=name, content_type=None) as document:
        text = document.separator.join(block.text for block in document.blocks)
    assert not document.skipped
    return text


@of_each_kind
def test_a_whole_file_is_read_under_every_extension_of_its_kind(sandbox: Sandbox, tmp_path: Path, kind: Kind) -> None:
    sample = SAMPLES[kind.name]
    assert PurePosixPath(sample.name).suffix in kind.extensions
    for extension in kind.extensions:
        text = text_of(sandbox, tmp_path, f"file{extension}", sample.content)
        assert [word for word in sample.words if word not in text] == [], extension


@of_each_kind
def test_a_broken_file_is_text_or_a_reason(sandbox: Sandbox, tmp_path: Path, kind: Kind) -> None:
    endings: list[FailureReason | bool] = []
    for content in broken(SAMPLES[kind.name].content):
        (tmp_path / "file").write_bytes(content)
        try:
            with sandbox.parse(tmp_path / "file", key=SAMPLES[kind.name].name, content_type=None) as document:
                endings.append(any(block.text.strip() for block in document.blocks))
        except UnreadableDocument as problem:
            endings.append(bool(problem.hint) and problem.reason)
    assert False not in endings


def test_there_is_no_sample_of_a_kind_that_is_not_read() -> None:
    assert SAMPLES.keys() == {kind.name for kind in KINDS}
