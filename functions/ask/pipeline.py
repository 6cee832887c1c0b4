"""From a question to an answer whose citations were checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from time import perf_counter

from ask.citations import Citation, keep_markers, verify
from ask.generation import Generation, Generator
from ask.prompt import Turn, build_prompt
from ask.refinement import Refined, Refinement
from ask.retrieval import Query, RelevanceFloor, Retrieval, RetrievalStage
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.telemetry import Metric, Telemetry

CANDIDATES = 50  # that the relevance floor chooses from


class Reason(StrEnum):
    """Why there is no answer."""

    NOTHING_RELEVANT = "nothing_relevant"
    NOT_IN_PASSAGES = "not_in_passages"
    NO_QUOTE_VERIFIED = "no_quote_verified"
    MODEL_FAILED = "model_failed"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and what became of it."""

    retrieval: Retrieval
    refined: Refined

    @property
    def degraded(self) -> bool:
        return self.retrieval.degraded or self.refined.degraded


@dataclass(frozen=True, slots=True)
class Answer:
    """``text`` is None if there is no answer, and then ``reason`` says why."""

    found: Found
    text: str | None = None
    reason: Reason | None = None
    citations: list[Citation] = field(default_factory=list)
    in_prompt: int = 0
    quotes_dropped: int = 0
    usage: ModelUsage | None = None
    generate_ms: float = 0.0

    @property
    def retrieval(self) -> Retrieval:
        return self.found.retrieval

    @property
    def relevant(self) -> list[Passage]:
        """What was chosen among the passages above the relevance floor."""
        return self.found.refined.passages

    @property
    def degraded(self) -> bool:
        """A model failed: what is here was found or made without it."""
        return self.found.degraded or self.reason is Reason.MODEL_FAILED


@dataclass(frozen=True, slots=True)
class AskPipeline:
    """question -> search -> relevance floor -> refine -> prompt -> generate -> verify -> answer"""

    retrieval: RetrievalStage
    floor: RelevanceFloor
    refinement: Refinement
    generator: Generator
    telemetry: Telemetry
    max_context_tokens: int

    def search(self, query: Query, *, deadline: Deadline) -> Found:
        """The passages that an answer would be looked for in, whether relevant or not.

        Raises what RetrievalStage.retrieve raises.
        """
        wanted = max(query.limit, self.refinement.candidates)
        found = self.retrieval.retrieve(replace(query, limit=wanted), deadline=deadline)
        return self._refined(query, found, found.passages, deadline)

    def answer(self, query: Query, *, history: Sequence[Turn] = (), deadline: Deadline) -> Answer:
        """An answer, or a reason why not. Below the relevance floor no model is called.

        A model that fails costs the answer, not the passages. Raises what RetrievalStage.retrieve raises.
        """
        # The floor comes before the cut to what was asked for: a passage that fails it must not take a place. It comes
        # before the rerank too: it stands on values that a rerank does not change, and what it rejects costs nothing.
        wanted = max(query.limit, CANDIDATES, self.refinement.candidates)
        retrieval = self.retrieval.retrieve(replace(query, limit=wanted), deadline=deadline)
        relevant = [passage for passage in retrieval.passages if self.floor.passes(passage)]
        found = self._refined(query, retrieval, relevant, deadline)
        if not relevant:
            return Answer(found, reason=Reason.NOTHING_RELEVANT)
        prompt = build_prompt(
            question=query.question,
            passages=found.refined.passages,
            history=history,
            max_context_tokens=self.max_context_tokens,
        )
        began = perf_counter()
        try:
            with self.telemetry.step("generate", Metric.GENERATION_LATENCY):
                generation = self.generator.generate(prompt, deadline=deadline)
        except (ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded) as error:
            self.telemetry.log_failure(error)
            return Answer(found, reason=Reason.MODEL_FAILED, in_prompt=len(prompt.passages))
        self._count(generation.usage)
        return _checked(generation, prompt.passages, found, (perf_counter() - began) * 1000)

    def _refined(self, query: Query, found: Retrieval, passages: list[Passage], deadline: Deadline) -> Found:
        return Found(found, self.refinement.refine(query.text, passages, limit=query.limit, deadline=deadline))

    def _count(self, usage: ModelUsage) -> None:
        self.telemetry.count(Metric.PROMPT_TOKENS, usage.input_tokens)
        self.telemetry.count(Metric.COMPLETION_TOKENS, usage.output_tokens)
        if usage.usd is not None:
            self.telemetry.count(Metric.COST_USD, usage.usd)


def _checked(generation: Generation, shown: Sequence[Passage], found: Found, generate_ms: float) -> Answer:
    """The model's answer with the citations that hold, or without text if none does."""
    said = generation.answer
    citations = verify(said.citations, shown)
    text = keep_markers(said.answer, {citation.marker for citation in citations})
    reason = None
    if not said.answerable or not said.answer.strip():
        reason = Reason.NOT_IN_PASSAGES
    elif not citations or not text:
        reason = Reason.NO_QUOTE_VERIFIED
    return Answer(
        found=found,
        text=text if reason is None else None,
        reason=reason,
        citations=citations if reason is None else [],
        in_prompt=len(shown),
        quotes_dropped=sum(not verify([quotation], shown) for quotation in said.citations),
        usage=generation.usage,
        generate_ms=generate_ms,
    )
