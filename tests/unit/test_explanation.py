"""What ``explain`` tells of each passage that was found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ask.explanation import explained
from ask.neighbours import NeighbourChunk
from ask.refinement import Refinement
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.search import Passage
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_neighbours import MemoryNeighbourhood
from tests.unit.memory_searcher import MemorySearcher

FIRST = "Leave is 25 days a year for all."
SECOND = "Unused days expire in March."


def numbered(*texts: str, **changes: Any) -> list[Passage]:
    return [replace(passage(text, **changes), key=f"{place}.md", ordinal=0) for place, text in enumerate(texts)]


def fates(found: Sequence[Passage], *, limit: int = 8, budget: int = 6000, **refinement: Any) -> dict[str, str]:
    telemetry = Telemetry("ask")
    held = refinement.pop("held", ())
    pipeline = ask_pipeline(
        MemorySearcher(found), FixedGenerator(said("So [1].", (1, "days"))), telemetry=telemetry,
        max_context_tokens=budget,
    )  # fmt: skip
    step = Refinement(MemoryNeighbourhood(held), telemetry, max_context_tokens=budget, **refinement)
    pipeline = replace(pipeline, refinement=step)
    answer = pipeline.answer(Query("Leave?", limit=limit, explain=True), deadline=Deadline.after(5))
    shown = explained(answer, filters={"prefix": "hr/"}, trace_id="1-a")
    assert (shown.question, shown.filters, shown.trace_id) == ("Leave?", {"prefix": "hr/"}, "1-a")
    return {f"{each.key}/{each.text[:6]}": each.became for each in shown.candidates}


def test_a_passage_is_shown_or_below_the_floor() -> None:
    below = replace(passage("Bake it.", cosine=0.1, coverage=0.1), key="cake.md")
    assert fates([*numbered(FIRST), below]) == {"0.md/Leave ": "shown", "cake.md/Bake i": "below_floor"}


def test_a_passage_is_beyond_what_was_asked_for() -> None:
    assert fates(numbered(FIRST, SECOND), limit=1) == {"0.md/Leave ": "shown", "1.md/Unused": "beyond_top_k"}


def test_a_passage_is_over_the_budget_of_the_prompt() -> None:
    assert fates(numbered(FIRST, SECOND), budget=60) == {"0.md/Leave ": "shown", "1.md/Unused": "over_budget"}


def test_a_passage_is_a_copy_of_a_better_one() -> None:
    found = numbered(FIRST, FIRST)
    assert fates(found, near_duplicate_share=0.8) == {"0.md/Leave ": "shown", "1.md/Leave ": "near_duplicate"}


def test_a_passage_is_crowded_out_by_its_own_document() -> None:
    found = [passage(FIRST), replace(passage(SECOND, start=100), ordinal=1)]
    assert fates(found, max_per_document=1) == {"handbook.md/Leave ": "shown", "handbook.md/Unused": "crowded_out"}


def test_a_passage_is_joined_to_a_better_one() -> None:
    found = [passage(FIRST), replace(passage(SECOND, start=len(FIRST) + 1), ordinal=1)]
    held = [NeighbourChunk(each.key, each.ordinal, each.text, 10, each.start, each.marks, "v1") for each in found]
    assert fates(found, held=held, reach=1) == {"handbook.md/Leave ": "shown", "handbook.md/Unused": "joined"}


@pytest.mark.parametrize("price", ["gpt-4.1-mini"])
def test_every_model_that_was_asked_is_told_with_its_cost(price: str) -> None:
    pipeline = ask_pipeline(
        MemorySearcher(numbered(FIRST)), FixedGenerator(said("30 [1].", (1, "30 days"))), telemetry=Telemetry("ask")
    )
    answer = pipeline.answer(Query("Leave?", explain=True), deadline=Deadline.after(20))
    told = explained(answer, filters={}, trace_id=None).models
    assert [(each.step, each.input_tokens) for each in told] == [("embed", 5), ("generate", 1000), ("generate", 1000)]
    assert told[1].model == price
    assert told[1].usd == pytest.approx(0.00056)
