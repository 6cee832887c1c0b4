"""A folder mirrored to a bucket: what is saved, changed or removed there, and nothing else."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.storage.client import Storage
from local.watched_folder import Synced, WatchedFolder, content_type


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        yield running


class Mirror:
    """A folder, a bucket of its own, and the watcher between them."""

    def __init__(self, storage: Storage, root: Path, bucket: str) -> None:
        self.folder = root / "documents"
        self.folder.mkdir()
        self.state = root / "state" / "sent.json"
        self.bucket = bucket
        self.s3 = storage.s3
        storage.create_bucket(bucket)
        self.watcher = self.watch_again()

    def watch_again(self) -> WatchedFolder:
        self.watcher = WatchedFolder(self.folder, self.bucket, self.s3, self.state)
        return self.watcher

    def write(self, name: str, text: str = "text") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def settle(self) -> Synced:
        first, second = self.watcher.sync_once(), self.watcher.sync_once()
        return Synced(first.sent + second.sent, first.removed + second.removed)

    def keys(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def get(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=key)


@pytest.fixture
def mirror(storage: Storage, tmp_path: Path, request: pytest.FixtureRequest) -> Mirror:
    return Mirror(storage, tmp_path, f"mirror-{abs(hash(request.node.name))}")


def test_files_arrive_under_their_path_with_a_content_type(mirror: Mirror) -> None:
    mirror.write("guide.md", "# Guide")
    mirror.write("sub folder/über+uns.txt", "Text")
    assert mirror.settle() == Synced(sent=["guide.md", "sub folder/über+uns.txt"])
    guide = mirror.get("guide.md")
    assert (guide["Body"].read(), guide["ContentType"]) == (b"# Guide", "text/markdown")
    assert mirror.get("sub folder/über+uns.txt")["ContentType"] == "text/plain"


def test_a_file_that_still_grows_is_not_sent(mirror: Mirror) -> None:
    mirror.watcher.sync_once()
    for length in range(1, 4):
        mirror.write("growing.md", "x" * length)
        assert mirror.watcher.sync_once() == Synced()
    assert mirror.watcher.sync_once() == Synced(sent=["growing.md"])
    assert mirror.get("growing.md")["Body"].read() == b"xxx"


def test_a_changed_file_is_sent_again_and_an_unchanged_one_is_not(mirror: Mirror) -> None:
    mirror.write("same.md")
    path = mirror.write("changes.md", "old")
    mirror.settle()
    path.write_text("new")
    os.utime(path, ns=(1, 1))  # an older time is a change too
    assert mirror.settle() == Synced(sent=["changes.md"])
    assert mirror.get("changes.md")["Body"].read() == b"new"


def test_a_removed_file_is_deleted_and_objects_from_elsewhere_stay(mirror: Mirror) -> None:
    mirror.s3.put_object(Bucket=mirror.bucket, Key="uploaded.md", Body=b"by hand")
    path = mirror.write("gone.md")
    mirror.settle()
    path.unlink()
    assert mirror.settle() == Synced(removed=["gone.md"])
    assert mirror.keys() == ["uploaded.md"]


def test_what_happened_while_nobody_watched_is_made_up_for(mirror: Mirror) -> None:
    mirror.write("stays.md")
    mirror.write("changes.md", "old")
    removed = mirror.write("removed.md")
    mirror.settle()
    removed.unlink()
    mirror.write("changes.md", "changed")
    mirror.watch_again()
    assert mirror.settle() == Synced(sent=["changes.md"], removed=["removed.md"])
    assert mirror.keys() == ["changes.md", "stays.md"]


def test_files_are_sent_again_when_the_bucket_lost_them(mirror: Mirror) -> None:
    mirror.write("lost.md")
    mirror.settle()
    mirror.s3.delete_object(Bucket=mirror.bucket, Key="lost.md")
    mirror.watch_again()
    assert mirror.settle() == Synced(sent=["lost.md"])


@pytest.mark.parametrize("damage", ["", "[]", '{"%s": {"a.md": 3}}', "{"])
def test_a_damaged_memory_means_sending_again(mirror: Mirror, damage: str) -> None:
    mirror.write("a.md")
    mirror.settle()
    mirror.state.write_text(damage.replace("%s", mirror.bucket))
    mirror.watch_again()
    assert mirror.settle() == Synced(sent=["a.md"])


def test_hidden_and_unfinished_files_and_links_out_of_the_folder_are_ignored(mirror: Mirror, tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("secret")
    (mirror.folder / "linked.md").symlink_to(outside)
    (mirror.folder / "linked").symlink_to(tmp_path)
    (mirror.folder / "broken.md").symlink_to(tmp_path / "absent")
    (mirror.folder / "loop").symlink_to(mirror.folder)
    for name in (".hidden", ".git/config", "a.tmp", "b.PART", "c.crdownload", "d.md~", "~$letter.docx"):
        mirror.write(name)
    mirror.write("seen.md")
    assert mirror.settle() == Synced(sent=["seen.md"])


def test_a_file_that_vanishes_before_it_is_read_is_left_out(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mirror.write("a-vanishes.md")
    mirror.write("stays.md")
    mirror.watcher.sync_once()
    send = mirror.watcher._send

    def vanish_first(key: str, signature: Any) -> bool:
        path.unlink(missing_ok=True)
        return send(key, signature)

    monkeypatch.setattr(mirror.watcher, "_send", vanish_first)
    assert mirror.watcher.sync_once() == Synced(sent=["stays.md"])
    assert mirror.keys() == ["stays.md"]


def test_a_folder_that_is_away_deletes_nothing(mirror: Mirror) -> None:
    mirror.write("kept.md")
    mirror.settle()
    mirror.folder.rename(mirror.folder.with_name("away"))
    assert mirror.settle() == Synced()
    mirror.folder.with_name("away").rename(mirror.folder)
    assert mirror.settle() == Synced()
    assert mirror.keys() == ["kept.md"]


def test_a_key_longer_than_s3_takes_does_not_stop_the_others(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.write("/".join(["long" * 40] * 7) + "/too-long.md")
    mirror.write("zoo.md")
    assert mirror.settle() == Synced(sent=["zoo.md"])
    assert "longer than 1024 bytes" in capsys.readouterr().err


def test_it_watches_until_it_is_told_to_stop(mirror: Mirror) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=mirror.watcher.run, args=(stop,))
    thread.start()
    mirror.write("live.md")
    deadline = time.monotonic() + 8
    while mirror.keys() != ["live.md"] and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert mirror.keys() == ["live.md"]


def test_a_bucket_out_of_reach_is_tried_again(
    mirror: Mirror, tmp_path: Path, storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher = WatchedFolder(mirror.folder, "not-yet-there", mirror.s3, tmp_path / "sent.json")
    mirror.write("early.md")
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    time.sleep(0.7)
    storage.create_bucket("not-yet-there")
    deadline = time.monotonic() + 8
    while "Contents" not in mirror.s3.list_objects_v2(Bucket="not-yet-there") and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    thread.join(5)
    assert mirror.s3.head_object(Bucket="not-yet-there", Key="early.md")["ContentLength"] == 4
    assert "cannot reach the bucket" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.MD", "text/markdown"),
        ("a.pdf", "application/pdf"),
        ("a.html", "text/html"),
        ("a.unknown", "application/octet-stream"),
    ],
)
def test_content_types_come_from_the_name(name: str, expected: str) -> None:
    assert content_type(name) == expected
