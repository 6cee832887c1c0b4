"""A full disk is nobody's document's fault, and workers that are killed do not fill it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest

from bucketwise.errors import DiskUnavailable
from ingest import scratch, spool
from ingest.scratch import scratch_file
from ingest.spool import ChunkSpool
from ingest.terms import Analysis
from tests.unit.ingest_fakes import SOON, chunks_of
from tests.unit.ingest_world import batch, failed_messages, handle, ingest_world
from tests.unit.test_events import notification

ROOT = Path(__file__).resolve().parents[2]
HANGING_WORKER = """
import time
from tests.unit.ingest_fakes import SOON, LetterEmbedder, MemoryBucket, MemoryIndex
from tests.unit.ingest_world import pipeline_of

class Hanging(LetterEmbedder):
    def embed(self, texts, *, deadline, tries=1):
        print("at work", flush=True)
        time.sleep(60)

bucket = MemoryBucket(**{"a.txt": ("v1", b"Trains leave at noon.")})
pipeline_of(bucket, MemoryIndex(), Hanging(), tokens=1000).bring_up_to_date("a.txt", deadline=SOON)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, and files without a name, are Linux's")


def full(mode: str = "w+b", **given: Any) -> IO[Any]:
    """What tempfile makes, on a disk without room."""
    return Path("/dev/full").open(mode, encoding=given.get("encoding"))


def unmakeable(**_: Any) -> IO[Any]:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("disk", [lambda **_: full(), unmakeable], ids=["full", "no file to be had"])
def test_a_full_disk_puts_a_document_off_however_often_it_is_met(monkeypatch: pytest.MonkeyPatch, disk: Any) -> None:
    with ingest_world(monkeypatch) as world:
        world.bucket.objects["a.txt"] = ("v1", b"Trains leave at noon.")
        message = json.dumps(notification("a.txt"))
        with monkeypatch.context() as patch:
            patch.setattr(scratch, "TemporaryFile", disk)
            for _ in range(4):
                assert failed_messages(handle(batch(message))) == []
                assert world.notes.waiting["a.txt"][1] == "disk_unavailable"
                [message] = world.put_off()
                world.sqs.sent.clear()
                world.index.let_attempts_lapse()
        handle(batch(message))
        assert world.index.rows["a.txt"].texts == ["Trains leave at noon."]


def test_chunks_and_terms_that_the_disk_does_not_take_are_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = chunks_of(*(f"Trains leave at {n}." for n in range(500)))
    with ChunkSpool(most_tokens=10**6) as kept:
        for chunk in chunks:
            kept.add(chunk)
        kept._terms.close()
        kept._terms = tempfile.SpooledTemporaryFile(100, mode="w+", encoding="utf-8")  # noqa: SIM115
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
        with pytest.raises(DiskUnavailable):
            kept.make_terms(Analysis("A title", "a.txt", "en"), deadline=SOON)
    monkeypatch.setattr(spool, "IN_MEMORY", 100)

    def fill() -> None:
        with ChunkSpool(most_tokens=10**6) as kept:
            for chunk in chunks:
                kept.add(chunk)
            list(kept)

    with pytest.raises(DiskUnavailable) as raised:
        fill()
    assert "ENOSPC" not in str(raised.value)


def test_a_scratch_file_can_be_read_by_its_path_again_and_again_until_the_block_ends() -> None:
    with scratch_file() as (file, path):
        file.write(b"Trains leave at noon.")
        file.flush()
        assert path.read_bytes() == path.read_bytes() == b"Trains leave at noon."
    assert file.closed


def test_a_worker_that_is_killed_leaves_nothing_of_its_document_on_the_disk(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen([sys.executable, "-c", HANGING_WORKER], env=environment, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"at work\n"
        worker.kill()
    assert list(tmp_path.iterdir()) == []
