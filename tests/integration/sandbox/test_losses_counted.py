"""A parsing process that is lost is counted and logged by the very handler and pipeline, without a word of the text."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bucketwise.database import Database, connect
from bucketwise.settings import Settings
from ingest import composition, handler
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from tests.unit.ingest_world import World, batch, handle, ingest_world, pipeline_of
from tests.unit.make_office import zipped
from tests.unit.test_events import notification

PARSER = "tests.integration.sandbox.parts_parser"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With the pipeline that ingest composes, but for bucket, index and model, and a parser that misbehaves."""
    sandboxes: list[Sandbox] = []

    def quick_sandbox(limits: SandboxLimits, lost: Callable[[Loss], None]) -> Sandbox:
        sandboxes.append(Sandbox(replace(limits, stall_seconds=1.0), lost, PARSER))
        return sandboxes[0]

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("OPENAI_API_KEY", "opens-nothing")
    monkeypatch.setattr(composition, "Sandbox", quick_sandbox)
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere", "BUCKET": "documents"})
    with ingest_world(monkeypatch) as made:
        database = Database(lambda deadline: connect(given, deadline))
        parse = composition.share(given, composition.telemetry, database).parse
        pipeline = replace(pipeline_of(made.bucket, made.index, made.embedder, tokens=1000), parse=parse)
        monkeypatch.setattr(handler, "ingest_pipeline", lambda _: pipeline)
        yield made
    sandboxes[0].close()


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, float]]:
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(each["reason"], *each["ParsersLost"]) for each in documents if "ParsersLost" in each]


def test_every_lost_process_is_counted_and_logged_without_the_text(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {"secret-a.txt": "Confidential crash", "secret-b.txt": "hang", "c.txt": "grow", "d.txt": "words"}
    world.bucket.objects["private.zip"] = ("v1", zipped(members))
    handle(batch(json.dumps(notification("private.zip"))))
    assert counted(capsys) == [("crashed", 1.0), ("hung", 1.0), ("limits", 1.0)]
    lost = [line for line in world.lines() if line["message"] == "a parsing process was lost"]
    assert [(line["reason"], line["cause"]) for line in lost] == [
        ("crashed", "SIGSEGV"), ("hung", "no answer"), ("limits", "MemoryError")
    ]  # fmt: skip
    assert {line["correlation_id"] for line in lost} == {"message-1"}
    assert [line.get("outcome") for line in world.lines()][-1] == "indexed"
    assert not any(word in world.log.getvalue() for word in ("secret", "private", "Confidential"))


def test_a_document_that_is_read_counts_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.bucket.objects["a.zip"] = ("v1", zipped({"a.txt": "words"}))
    handle(batch(json.dumps(notification("a.zip"))))
    assert counted(capsys) == []
    assert [line["outcome"] for line in world.lines()] == ["indexed"]
