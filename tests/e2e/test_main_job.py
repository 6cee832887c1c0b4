"""The main job, as its users do it: drop files, ask over HTTP, get cited answers that follow the bucket."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.services import BUCKET
from tests.e2e.conftest import DOCUMENTS, System

QUESTIONS = json.loads((DOCUMENTS.parent / "questions.json").read_text(encoding="utf-8"))
LEAVE = "How many days of annual leave do shore staff have?"


def test_every_example_document_is_indexed(system: System) -> None:
    keys = {path.relative_to(DOCUMENTS).as_posix() for path in DOCUMENTS.rglob("*") if path.is_file()}
    states = {key: system.document(key)["state"] for key in keys}
    assert states == dict.fromkeys(keys, "indexed")


@pytest.mark.parametrize("known", [q for q in QUESTIONS if q["key"]], ids=lambda q: str(q["question"]))
def test_search_finds_the_document_that_holds_the_answer(system: System, known: dict[str, Any]) -> None:
    passages = system.search(known["question"], top_k=3)
    assert known["key"] in [passage["key"] for passage in passages]


def test_an_answer_cites_the_exact_place(system: System) -> None:
    answer = system.ask(LEAVE)
    [citation] = answer["citations"]
    handbook = (DOCUMENTS / citation["key"]).read_text(encoding="utf-8")
    assert "27 days" in answer["answer"]
    assert f"[{citation['marker']}]" in answer["answer"]
    assert handbook[citation["start"] : citation["end"]] == citation["quote"]
    assert citation["heading"][0] == "Employee handbook"
    assert citation["version"] == system.document(citation["key"])["version"]


def test_a_citation_of_a_pdf_names_the_page(system: System) -> None:
    answer = system.ask("How many sailings were cancelled because of weather in 2025?")
    cited = [(c["key"], c["page"]) for c in answer["citations"] if "142 were cancelled" in c["quote"]]
    assert cited == [("reports/annual-report-2025.pdf", 3)]


def test_a_citation_links_to_the_version_that_it_quotes(system: System) -> None:
    [citation] = system.ask(LEAVE)["citations"]
    with urllib.request.urlopen(citation["url"]) as reply:  # noqa: S310  # the twin's own S3
        assert reply.read() == (DOCUMENTS / citation["key"]).read_bytes()


def test_usage_and_timings_come_with_the_answer(system: System) -> None:
    answer = system.ask(LEAVE)
    assert answer["usage"]["embedding_tokens"] > 0
    assert answer["usage"]["prompt_tokens"] > answer["usage"]["completion_tokens"] > 0
    assert answer["usage"]["usd"] is None  # the local models have no price
    assert set(answer["timings_ms"]) == {"embed", "keywords", "search", "neighbours", "generate", "total"}


def test_the_same_question_is_answered_from_the_cache_until_a_document_changes(system: System) -> None:
    system.put("cached/rate.txt", "The rate for hiring a bosun's chair is 40 crowns a day.")
    question = "What is the rate for hiring a bosun's chair?"
    first, again = system.ask(question, cache=True), system.ask(question, cache=True)
    assert (first["cache"], again["cache"], again["usage"]["prompt_tokens"]) == ("miss", "hit", 0)
    assert (again["answer"], again["corpus_version"]) == (first["answer"], first["corpus_version"])
    assert [cited["quote"] for cited in again["citations"]] == [cited["quote"] for cited in first["citations"]]
    with urllib.request.urlopen(again["citations"][0]["url"]) as opened:  # noqa: S310  # of the twin
        assert b"40 crowns" in opened.read()
    system.put("cached/rate.txt", "The rate for hiring a bosun's chair is 50 crowns a day.")
    changed = system.ask(question, cache=True)
    assert changed["cache"] == "miss"
    assert "50 crowns" in changed["answer"]
    system.delete("cached/rate.txt")
    assert not system.ask(question, cache=True)["answered"]


def test_a_question_without_relevant_passages_costs_no_model_call(system: System) -> None:
    answer = system.ask("Which chess opening did the grandmaster prefer?")
    assert (answer["answered"], answer["answer"], answer["reason"]) == (False, None, "nothing_relevant")
    assert answer["usage"]["prompt_tokens"] == 0


def test_explain_shows_candidates_with_their_ranks(system: System) -> None:
    explained = system.ask(LEAVE, explain=True)["explain"]
    assert explained["candidates"][0]["keyword_rank"] == 1
    assert explained["in_prompt"] <= explained["relevant"] <= len(explained["candidates"])


def test_history_gives_a_follow_up_its_subject(system: System) -> None:
    history = [{"question": "What does error E-4012 mean?", "answer": "The clock of a gate differs."}]
    passages = system.ask("How is it reset?", history=history, explain=True)["explain"]["candidates"]
    assert passages[0]["key"] == "operations/gangway-runbook.md"


def test_answers_follow_an_update_and_a_delete(system: System) -> None:
    question = "In which colour is the zeppelin hangar painted?"
    system.put("notices/hangar.txt", "The zeppelin hangar is painted in crimson.")
    assert "crimson" in system.ask(question)["answer"]
    system.put("notices/hangar.txt", "The zeppelin hangar is painted in turquoise.")
    assert "turquoise" in system.ask(question)["answer"]
    system.delete("notices/hangar.txt")
    assert not system.ask(question)["answered"]
    tombstone = system.document("notices/hangar.txt")
    assert (tombstone["state"], tombstone["chunks"]) == ("deleted", 0)


def test_removing_a_delete_marker_brings_the_document_back(system: System) -> None:
    version = system.put("notices/marker.txt", "The marmalade committee meets on the second Tuesday.")
    marker = system.twin.s3.delete_object(Bucket=BUCKET, Key="notices/marker.txt")["VersionId"]
    system.settle()
    assert system.document("notices/marker.txt")["state"] == "deleted"
    system.twin.s3.delete_object(Bucket=BUCKET, Key="notices/marker.txt", VersionId=marker)
    system.settle()
    assert system.document("notices/marker.txt")["version"] == version
    system.delete("notices/marker.txt")


def test_a_second_upload_of_the_same_text_embeds_nothing(system: System) -> None:
    text = "Paragraph about lanterns.\n\n" * 5
    system.put("copies/one.txt", text)
    system.put("copies/two.txt", text)
    receipt = system.document("copies/two.txt")
    assert (receipt["embedded"], receipt["embedding_tokens"]) == (0, 0)
    assert receipt["reused"] == receipt["chunks"] > 0


def test_filters_restrict_what_is_found(system: System) -> None:
    system.put("filtered/a.txt", "The otter census counted nine otters.", Metadata={"team": "north"})
    system.put("filtered/b.txt", "The otter census counted four otters.", Metadata={"team": "south"})
    question = "How many otters did the census count?"
    by_team = system.search(question, filters={"metadata": {"team": "south"}})
    by_prefix = system.search(question, filters={"prefix": "filtered/"})
    assert {passage["key"] for passage in by_team} == {"filtered/b.txt"}
    assert {passage["key"] for passage in by_prefix} == {"filtered/a.txt", "filtered/b.txt"}


def test_an_answer_that_needs_a_newer_index_is_a_conflict_to_retry(system: System) -> None:
    version = system.ask(LEAVE)["corpus_version"]
    assert system.ask(LEAVE, min_version=version)["corpus_version"] >= version
    reply = system.api.post("/ask", {"question": LEAVE, "min_version": version + 1000})
    assert (reply.status, reply.body["type"]) == (409, "urn:bucketwise:problem:index-behind")
    assert int(reply.headers["Retry-After"]) > 0


def test_documents_are_listed_page_by_page(system: System) -> None:
    first = system.api.get("/documents", prefix="notices/").body
    assert [d["key"] for d in first["documents"]] == sorted(d["key"] for d in first["documents"])
    after = first["documents"][0]["key"]
    rest = system.api.get("/documents", prefix="notices/", after=after).body["documents"]
    assert [d["key"] for d in rest] == [d["key"] for d in first["documents"]][1:]


def test_a_file_with_spaces_and_plus_in_its_name_is_answered_from(system: System) -> None:
    path = Path("notices/Summer timetable 2+1.txt")
    answer = system.ask("When does the last ferry from Hallow Pier to Port Lannick leave on Fridays in summer?")
    assert {citation["key"] for citation in answer["citations"]} == {path.as_posix()}
