"""What a model is shown stays within MAX_CONTEXT_TOKENS, however the passages of documents lie together."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask import estimate
from ask.explanation import explained
from ask.neighbours import NeighbourChunk
from ask.pipeline import Answer
from ask.prompt import TOKENS_AROUND_A_PASSAGE, build_prompt, tokens_shown
from ask.refinement import Refinement
from ask.retrieval import Query
from bucketwise.deadline import Deadline
from bucketwise.models import Place, PlaceMark
from bucketwise.search import Passage
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from tests.unit.fakes import FixedGenerator, ask_pipeline, passage, said
from tests.unit.memory_neighbours import MemoryNeighbourhood
from tests.unit.memory_searcher import MemorySearcher

BUDGET, CHUNK = 6000, 180


def chunk(key: str, ordinal: int, tokens: int = CHUNK) -> NeighbourChunk:
    text = f"part {ordinal} of {key}"
    start = 100 * ordinal
    return NeighbourChunk(key, ordinal, text, tokens, start, (PlaceMark(start, Place(page=1 + ordinal)),), "v1")


def document(key: str, chunks: int, tokens: int = CHUNK) -> list[NeighbourChunk]:
    return [chunk(key, ordinal, tokens) for ordinal in range(chunks)]


def hit(of: NeighbourChunk) -> Passage:
    found = passage(of.text, key=of.key, start=of.start, marks=of.marks, tokens=of.tokens)
    return replace(found, ordinal=of.ordinal, version=of.version)


def every_second(chunks: Sequence[NeighbourChunk]) -> list[Passage]:
    return [hit(each) for each in chunks[1::2]]


def answered(
    hits: Sequence[Passage], held: Sequence[NeighbourChunk], *, reach: int = 1, budget: int = BUDGET
) -> Answer:
    telemetry = Telemetry("ask")
    pipeline = ask_pipeline(
        MemorySearcher(hits), FixedGenerator(said("So [1].", (1, "part"))), telemetry=telemetry,
        max_context_tokens=budget,
    )  # fmt: skip
    refinement = Refinement(MemoryNeighbourhood(held), telemetry, reach=reach, max_context_tokens=budget)
    query = Query("Which parts?", limit=50, explain=True)
    return replace(pipeline, refinement=refinement).answer(query, deadline=Deadline.after(5))


def shown(answer: Answer) -> list[tuple[str, int]]:
    """(key, tokens) of the passages in the prompt."""
    return [(each.key, each.tokens) for each in answer.draft.in_prompt]


def fates(answer: Answer) -> list[str]:
    return [each.became for each in explained(answer, filters={}, trace_id=None).candidates]


@pytest.mark.parametrize("reach", [1, 2, 5])
def test_neighbourhoods_that_run_into_each_other_stay_within_the_budget_and_what_is_reserved(reach: int) -> None:
    held = document("a.md", 101)
    answer = answered(every_second(held), held, reach=reach)
    assert BUDGET / 2 < sum(tokens_shown(each) for each in answer.draft.in_prompt) <= BUDGET
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"})
    *_, generation = estimate.of_answer(given, Query("Which parts?"), [])
    assert generation.input_tokens >= sum(tokens for _, tokens in shown(answer)) + estimate.TOKENS_OF_INSTRUCTIONS
    assert (fates(answer)[0], fates(answer)[-1]) == ("shown", "over_budget")


def test_passages_before_and_after_a_long_stretch_are_shown_if_they_are_better_than_its_last_ones() -> None:
    held = [*document("a.md", 101), *document("b.md", 1), *document("c.md", 1)]
    first, *others = every_second(held[:101])
    answer = answered([hit(chunk("b.md", 0)), first, hit(chunk("c.md", 0)), *others], held)
    assert {key for key, _ in shown(answer)} == {"a.md", "b.md", "c.md"}
    assert sum(tokens_shown(each) for each in answer.draft.in_prompt) <= BUDGET
    assert fates(answer)[:4] == ["shown", "shown", "shown", "joined"]


def test_a_passage_whose_neighbours_do_not_fit_has_fewer_or_none() -> None:
    held = document("a.md", 11, tokens=100)
    for budget, tokens in [(1156, 1100), (1155, 900), (355, 100), (156, 100)]:
        assert shown(answered([hit(held[5])], held, reach=5, budget=budget)) == [("a.md", tokens)]


def test_the_best_passage_is_shown_also_if_nothing_fits() -> None:
    held = [*document("a.md", 3, tokens=360), *document("b.md", 3, tokens=10)]
    answer = answered([hit(held[1]), hit(held[4])], held, budget=100)
    assert shown(answer) == [("a.md", 360)]
    assert fates(answer) == ["shown", "over_budget"]


def test_a_passage_that_does_not_fit_leaves_its_room_to_worse_ones() -> None:
    held = [*document("a.md", 1, tokens=50), *document("b.md", 3, tokens=300), *document("c.md", 3, tokens=20)]
    answer = answered([hit(held[0]), hit(held[2]), hit(held[5])], held, budget=225)
    assert shown(answer) == [("a.md", 50), ("c.md", 60)]
    assert fates(answer) == ["shown", "over_budget", "shown"]


def test_a_document_that_was_replaced_takes_its_room_without_neighbours() -> None:
    held = [*document("a.md", 3, tokens=100), *document("b.md", 3, tokens=100)]
    now = [*(replace(each, version="v2") for each in held[:3]), *held[3:]]
    assert shown(answered([hit(held[1]), hit(held[4])], now, budget=400)) == [("a.md", 100), ("b.md", 100)]


@given(
    sizes=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 360)), min_size=1, max_size=4),
    places=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 39)), min_size=1, max_size=50, unique=True),
    reach=st.integers(0, 5),
    budget=st.integers(100, 8000),
)
def test_whatever_is_found_the_prompt_is_within_the_budget_and_each_passage_is_accounted_for(
    sizes: list[tuple[int, int]], places: list[tuple[int, int]], reach: int, budget: int
) -> None:
    documents = [document(f"{name}.md", *size) for name, size in enumerate(sizes)]
    inside = [(name, ordinal) for name, ordinal in places if name < len(sizes) and ordinal < sizes[name][0]]
    if not inside:
        return
    hits = [hit(documents[name][ordinal]) for name, ordinal in inside]
    answer = answered(hits, [each for chunks in documents for each in chunks], reach=reach, budget=budget)
    in_prompt = answer.draft.in_prompt
    assert sum(tokens_shown(each) for each in in_prompt) <= max(budget, tokens_shown(hits[0]))
    assert in_prompt[0].start <= hits[0].start < in_prompt[0].start + len(in_prompt[0].text)
    texts = "\n".join(each.text for each in in_prompt)
    assert len(set(texts.split("part "))) == len(texts.split("part "))  # nothing stands twice
    for found, fate in zip(hits, fates(answer), strict=True):
        assert (found.text in texts) == (fate != "over_budget")
        assert fate in {"shown", "joined", "over_budget"}


def test_of_passages_that_fit_alone_as_many_are_shown_as_there_is_room_for() -> None:
    hits = [hit(chunk(f"{name}.md", 0)) for name in range(50)]
    each = CHUNK + TOKENS_AROUND_A_PASSAGE
    assert len(build_prompt(question="q", passages=hits, max_context_tokens=BUDGET).passages) == BUDGET // each
