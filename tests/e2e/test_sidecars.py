"""Metadata from beside a document: filtered by at once, followed in any order, and never paid for."""

import json

from local.services import BUCKET
from tests.e2e.conftest import System

KEY = "lighthouse/lamp.txt"
SIDECAR = f"{KEY}.metadata.json"
QUESTION = "How many candela has the lamp of Brimsund?"


def found(system: System, **metadata: object) -> list[str]:
    passages = system.search(QUESTION, filters={"metadata": metadata})
    return sorted({passage["key"] for passage in passages})


def test_filters_follow_a_sidecar_without_an_embedding(system: System) -> None:
    system.put(SIDECAR, json.dumps({"team": "optics", "year": 2024}))
    system.put(KEY, "The lamp of Brimsund has 4,000 candela.", Metadata={"team": "nobody", "shelf": "7"})
    document = system.document(KEY)
    assert document["metadata"] == {"team": "optics", "year": 2024, "shelf": "7"}
    assert found(system, team="optics", year=2024) == [KEY]
    system.put(SIDECAR, json.dumps({"team": "archive", "closed": True}))
    described = system.document(KEY)
    assert described["metadata"] == {"team": "archive", "closed": True, "shelf": "7"}
    unchanged = {"version", "embedded", "embedding_tokens", "chunks", "seconds_to_searchable"}
    assert {name: described[name] for name in unchanged} == {name: document[name] for name in unchanged}
    assert (found(system, team="optics"), found(system, closed=True)) == ([], [KEY])
    system.delete(SIDECAR)
    assert system.document(KEY)["metadata"] == {"team": "nobody", "shelf": "7"}


def test_a_sidecar_is_no_document_itself(system: System) -> None:
    system.put(SIDECAR, json.dumps({"candela": "of the lamp of Brimsund"}))
    assert system.api.get("/documents", key=SIDECAR).status == 404
    assert SIDECAR not in {passage["key"] for passage in system.search(QUESTION)}


def test_a_broken_sidecar_is_told_with_its_document(system: System) -> None:
    system.put(KEY, "The lamp of Brimsund has 4,000 candela.")
    system.put(SIDECAR, "{")
    document = system.document(KEY)
    assert (document["state"], document["reason"]) == ("failed", "bad_metadata")
    assert "sidecar" in document["hint"]
    system.twin.s3.delete_object(Bucket=BUCKET, Key=SIDECAR)
    system.settle()
    assert system.document(KEY)["state"] == "indexed"
