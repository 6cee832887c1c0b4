"""How an answer came about: ``explain`` of a reply."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ask.pipeline import Answer
from ask.responses import passage_out
from ask.schemas import CandidateOut, ExplainOut, ModelUsageOut
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage

Fate = Literal[
    "shown", "joined", "below_floor", "other_document", "near_duplicate", "crowded_out", "beyond_top_k", "over_budget"
]


def explained(answer: Answer, *, filters: Mapping[str, Any], trace_id: str | None) -> ExplainOut:
    refined, draft = answer.found.refined, answer.draft
    reranked = {passage.place: passage for passage in refined.reranked}
    return ExplainOut(
        question=answer.question,
        filters=dict(filters),
        prompt_version=draft.prompt_version,
        candidates=[
            CandidateOut(
                **passage_out(reranked.get(passage.place, passage)).model_dump(), became=became(answer, passage)
            )
            for passage in answer.found.retrieval.passages
        ],
        near_duplicates=len(refined.near_duplicates),
        crowded_out=len(refined.crowded_out),
        relevant=len(answer.relevant),
        in_prompt=len(draft.in_prompt),
        quotes_dropped=len(draft.dropped),
        models=list(_models(answer)),
        trace_id=trace_id,
    )


def became(answer: Answer, passage: Passage) -> Fate:
    """What became of a passage that was found."""
    refined, in_prompt = answer.found.refined, answer.draft.in_prompt
    if passage.place in answer.below_floor:
        return "below_floor"
    if passage.place in answer.of_others:
        return "other_document"
    if passage.place in _places(refined.near_duplicates):
        return "near_duplicate"
    if passage.place in _places(refined.crowded_out):
        return "crowded_out"
    if passage.place in _places(in_prompt):
        return "shown"
    if any(_holds(other, passage) for other in in_prompt):
        return "joined"
    return "over_budget" if any(_holds(other, passage) for other in refined.passages) else "beyond_top_k"


def _places(passages: list[Passage] | tuple[Passage, ...]) -> set[tuple[str, int]]:
    return {passage.place for passage in passages}


def _holds(stretch: Passage, passage: Passage) -> bool:
    """Whether the text of ``passage`` is within that of ``stretch``."""
    return (
        stretch.key == passage.key
        and stretch.start <= passage.start
        and passage.start + len(passage.text) <= stretch.start + len(stretch.text)
    )


def _models(answer: Answer) -> Iterator[ModelUsageOut]:
    if answer.asked.usage:
        yield _model("rewrite", answer.asked.usage)
    yield _model("embed", answer.found.retrieval.usage)
    if answer.found.refined.usage:
        yield _model("rerank", answer.found.refined.usage)
    for usage in answer.draft.usages:
        yield _model("generate", usage)


def _model(step: Literal["rewrite", "embed", "rerank", "generate"], usage: ModelUsage) -> ModelUsageOut:
    return ModelUsageOut(
        step=step,
        model=usage.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        usd=usage.usd,
    )
