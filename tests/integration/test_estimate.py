"""What indexing a bucket would cost, from a real server of S3 over HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.parsing import parsed_here
from local import ROOT
from local.estimate.counting import Estimate, Estimator
from local.estimate.sources import BucketSource, FolderSource, Source
from local.function_settings import lambda_environment, with_defaults
from local.storage.client import Storage
from local.watched_folder import content_type

EXAMPLES = ROOT / "examples" / "documents"
BUCKET = "estimated"
TEXT = b"Lanterns are lit at dusk."


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage.start(None) as running:
        running.create_bucket(BUCKET)
        for path in sorted(path for path in EXAMPLES.rglob("*") if path.is_file()):
            key = f"examples/{path.relative_to(EXAMPLES).as_posix()}"
            running.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes(), ContentType=content_type(key))
        others: dict[str, tuple[bytes, str]] = {
            "other/": (b"", "application/x-directory"),
            "other/untitled": (TEXT, "text/plain"),
            "other/data": (bytes(range(32)), "application/octet-stream"),
            "other/blank & odd+name?.txt": (b"", "text/plain"),
            "other/untitled.metadata.json": (b'{"team": "ops"}', "application/json"),
            "other/deleted.txt": (TEXT, "text/plain"),
        }
        for key, (body, kind) in others.items():
            running.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=kind)
        running.s3.delete_object(Bucket=BUCKET, Key="other/deleted.txt")
        yield running


def estimate_of(source: Source) -> Estimate:
    estimator = Estimator(with_defaults({}), parsed_here)
    for key in source.keys():  # noqa: SIM118  # it is no dictionary
        estimator.take(source, key)
    return estimator.estimate


def printed(storage: Storage, *arguments: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "local.estimate", *arguments, "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **lambda_environment(storage_url=storage.url), **environment},
        capture_output=True,
        check=True,
    )
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def test_a_bucket_is_estimated_as_the_folder_that_it_was_filled_from(storage: Storage) -> None:
    assert estimate_of(BucketSource(storage.s3, BUCKET, "examples/")) == estimate_of(FolderSource(EXAMPLES))


def test_objects_are_taken_for_what_their_content_type_says_and_deleted_ones_are_not_there(storage: Storage) -> None:
    source = BucketSource(storage.s3, BUCKET, "other/")
    assert all(key.startswith("other/") for key in source.keys())  # noqa: SIM118  # it is no dictionary
    estimate = estimate_of(source)
    assert (estimate.indexed, estimate.chunks) == (1, 1)
    assert {each.key: each.reason for each in estimate.rejected} == {
        "other/data": "unsupported",
        "other/blank & odd+name?.txt": "empty",
    }


def test_nothing_is_written_to_the_bucket(storage: Storage) -> None:
    client, methods = storage.client("s3"), set[str]()
    client.meta.events.register("before-send.s3.*", lambda request, **_: methods.add(request.method))
    estimate_of(BucketSource(client, BUCKET, ""))
    assert methods == {"GET"}


def test_an_object_that_vanishes_or_is_refused_does_not_end_the_estimate(storage: Storage) -> None:
    client = storage.client("s3")
    estimator, source = Estimator(with_defaults({}), parsed_here), BucketSource(client, BUCKET, "")
    estimator.take(source, "other/deleted.txt")
    estimator.take(BucketSource(client, "no-such-bucket", ""), "a.txt")
    estimator.take(source, "other/untitled")
    assert estimator.estimate.indexed == 1
    assert [each.reason for each in estimator.estimate.rejected] == ["unreachable"]


def test_the_program_reads_a_bucket_with_the_settings_of_its_environment(storage: Storage) -> None:
    shown = printed(storage, "--bucket", BUCKET, "--prefix", "examples/", EMBEDDING_MODEL="text-embedding-3-large")
    assert shown["outcomes"] == {"indexed": 10}
    assert shown["usd"] == pytest.approx(shown["embedding_tokens"] * 0.13 / 1_000_000)
    assert printed(storage, "--bucket", BUCKET, PREFIX="other/")["outcomes"]["indexed"] == 1


def test_the_program_reads_a_folder(storage: Storage) -> None:
    from_folder = printed(storage, "--dir", "examples/documents")
    assert from_folder["chunks"] == printed(storage, "--bucket", BUCKET, "--prefix", "examples/")["chunks"]


def test_a_bucket_that_is_not_there_is_an_error_and_no_traceback(storage: Storage) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.estimate", "--bucket", "nothing"],
        cwd=Path(ROOT),
        env={"PATH": os.environ["PATH"], **lambda_environment(storage_url=storage.url)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "NoSuchBucket" in done.stderr
    assert "Traceback" not in done.stderr
