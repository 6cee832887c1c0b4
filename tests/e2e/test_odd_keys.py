"""Keys with whatever S3 lets them have: each goes the whole way and comes back to the letter, or is refused visibly."""

import json
import unicodedata
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.environment import FunctionError
from local.services import BUCKET
from tests.e2e.conftest import System

FOLDER = "odd/"
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zürich Ångström.txt") for form in ("NFC", "NFD"))
LONGEST = 1024  # bytes, of S3
KEYS = {
    "spaces": "two  words .txt",
    "space at the end": "ends with a space.txt ",
    "plus": "1+1=2.txt",
    "percent": "100% sure.txt",
    "percent-encoded": "a%2Fb%20c%2B.txt",
    "encoded twice": "a%252Fb.txt",
    "composed": COMPOSED,
    "decomposed": DECOMPOSED,
    "emoji": "\U0001f682\U0001f469\u200d\U0001f4bb.txt",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202etxt.exe",
    "chinese": "\u4f1a\u8bae\u8bb0\u5f55.txt",
    "byte order mark": "\ufeffmark.txt",
    "parent": "../parent.txt",
    "parents": "a/../../b/./c.txt",
    "dots": "..",
    "two slashes": "a//b.txt",
    "slash at the end": "folder with content/",
    "slash at the beginning": "/x.txt",
    "backslash": "a\\b\\..\\c.txt",
    "quotes": 'it\'s "quoted" `here`.txt',
    "query": "what?is=this&that;#fragment.txt",
    "markup": "<b>&amp;</b>.txt",
    "brackets": "[1](http://x) {a} $1 %s %(key)s.txt",
    "like pattern": "%_.txt",
    "newline": "line\nbreak\r\n.txt",
    "tab": "tab\tstop.txt",
    "control": "bell\x07 escape\x1b[31m delete\x7f.txt",
    "separators": "line\u2028 next\x85.txt",
    "noncharacter": "\uffff\ufdd0.txt",
    "null": "null",
    "upper case": "CASE.txt",
    "lower case": "case.txt",
    "longest": "\u00e9" * ((LONGEST - len(FOLDER)) // 2 - 2) + ".txt",
    "longest of four bytes": "\U0001f682" * ((LONGEST - len(FOLDER)) // 4) + "xxx"[: (LONGEST - len(FOLDER)) % 4],
}
NUMBERS = {name: number for number, name in enumerate(KEYS, start=701)}


@dataclass(frozen=True)
class Odd:
    name: str
    key: str
    version: str

    @property
    def text(self) -> str:
        return f"The lantern of pier {NUMBERS[self.name]} is lit at dusk by warden {NUMBERS[self.name] + 1000}."

    @property
    def question(self) -> str:
        return f"By which warden is the lantern of pier {NUMBERS[self.name]} lit?"


@pytest.fixture(scope="module")
def versions(system: System) -> Iterator[dict[str, str]]:
    """Of all objects, which stand in the bucket side by side."""
    stored = {}
    for name, key in KEYS.items():
        body = Odd(name, "", "").text.encode()
        reply = system.twin.s3.put_object(Bucket=BUCKET, Key=FOLDER + key, Body=body, ContentType="text/plain")
        stored[name] = reply["VersionId"]
    system.settle()
    yield stored
    for key in KEYS.values():
        system.twin.s3.delete_object(Bucket=BUCKET, Key=FOLDER + key)
    system.settle()


@pytest.fixture(params=KEYS)
def odd(request: pytest.FixtureRequest, versions: dict[str, str]) -> Odd:
    name = request.param
    return Odd(name, FOLDER + KEYS[name], versions[name])


def listed(system: System, **query: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    after: str | None = ""
    while after is not None:
        reply = system.api.get("/documents", prefix=FOLDER, **query, **({"after": after} if after else {}))
        assert reply.status == 200, reply
        found |= {each["key"]: each for each in reply.body["documents"]}
        after = reply.body["next"]
    return found


def test_every_key_is_listed_to_the_letter(system: System, versions: dict[str, str]) -> None:
    assert len(set(KEYS.values())) == len(KEYS)
    assert {len((FOLDER + KEYS[name]).encode()) for name in ("longest", "longest of four bytes")} <= {1023, 1024}
    documents = listed(system)
    wanted = {FOLDER + key: versions[name] for name, key in KEYS.items()}
    assert {key: each["version"] for key, each in documents.items() if each["state"] == "indexed"} == wanted


def test_a_key_goes_the_whole_way_and_comes_back(system: System, odd: Odd) -> None:
    document = system.document(odd.key)
    assert (document["key"], document["state"], document["version"]) == (odd.key, "indexed", odd.version)
    [passage] = system.search(odd.question, filters={"key": odd.key})
    assert (passage["key"], passage["text"]) == (odd.key, odd.text)
    answer = system.ask(odd.question, filters={"prefix": FOLDER}, min_version={"key": odd.key, "version": odd.version})
    [cited] = {citation["key"]: citation for citation in answer["citations"]}.values()
    assert (cited["key"], cited["quote"]) == (odd.key, odd.text)
    with urllib.request.urlopen(cited["url"]) as opened:  # noqa: S310  # the twin's own S3
        assert opened.read().decode() == odd.text
    reply = system.api.post("/retries", {"key": odd.key})
    assert (reply.status, reply.body) == (202, {"queued": 1})
    system.settle()
    assert system.document(odd.key)["state"] == "indexed"


def test_a_comparison_finds_every_key_as_it_is(system: System, versions: dict[str, str]) -> None:
    system.twin.reconcile()
    system.settle()
    assert system.twin.reconcile()["differences"] == 0
    assert {each["state"] for each in listed(system).values()} == {"indexed"}
    assert len(listed(system)) == len(versions)


@pytest.mark.parametrize("name", KEYS)
def test_what_is_deleted_is_gone_and_its_neighbours_stay(system: System, name: str, versions: dict[str, str]) -> None:
    odd = Odd(name, FOLDER + KEYS[name], versions[name])
    before = {key for key, each in listed(system).items() if each["state"] == "indexed"}
    system.delete(odd.key)
    document = system.document(odd.key)
    assert (document["state"], document["chunks_stored"]) == ("deleted", 0)
    assert odd.key not in {passage["key"] for passage in system.search(odd.question)}
    assert {key for key, each in listed(system).items() if each["state"] == "indexed"} == before - {odd.key}


@pytest.mark.parametrize("key", ["odd/a%00b.txt", "%00"])
def test_an_event_with_a_nul_is_refused_and_not_taken_for_another_key(system: System, key: str) -> None:
    """PostgreSQL cannot hold it. The message goes the way of all that are refused: to the dead letter queue."""
    event = {
        "Records": [
            {
                "eventTime": "2026-03-12T08:15:02.000Z",
                "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}},
            }
        ]
    }
    with pytest.raises(FunctionError, match="MalformedEvent"):
        system.twin.ingest.invoke(event)
    record = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(event), "receiptHandle": "x"}
    record["attributes"] = {"ApproximateReceiveCount": "1"}  # type: ignore[assignment]
    assert system.twin.ingest.invoke({"Records": [record]}) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_an_event_with_half_a_character_is_refused(system: System) -> None:
    event = {
        "source": "aws.s3", "time": "2026-03-12T08:15:02Z",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": "odd/\ud800.txt"}},
    }  # fmt: skip
    with pytest.raises(FunctionError, match="MalformedEvent"):
        system.twin.ingest.invoke(event)


@pytest.mark.parametrize("key", ["a\0b.txt", "\ud800.txt", "x" * 1025, ""])
def test_a_key_that_no_object_can_have_is_refused_with_a_problem(system: System, key: str) -> None:
    question = {"question": "By which warden?"}
    replies = [
        system.api.post("/search", question | {"filters": {"key": key}}),
        system.api.post("/ask", question | {"filters": {"key": key}}),
        system.api.post("/ask", question | {"min_version": {"key": key, "version": "v"}}),
        system.api.post("/retries", {"key": key}),
    ]
    if "\ud800" not in key:  # which no URL can hold
        replies.append(system.api.get("/documents", key=key))
    assert {(reply.status, reply.body["type"]) for reply in replies} <= {
        (422, "urn:bucketwise:problem:invalid-request"),
        (404, "urn:bucketwise:problem:unknown-document"),
    }
    assert {reply.status for reply in replies[:4]} == {422}
