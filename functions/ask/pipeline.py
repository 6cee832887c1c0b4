"""From a question to an answer whose citations were checked."""

from dataclasses import dataclass, field, replace

from ask.answering import AnsweringStage, Draft, Reason
from ask.floor import RelevanceFloor
from ask.refinement import Refined, Refinement
from ask.retrieval import Query, Retrieval, RetrievalStage
from ask.rewriting import ConversationStage, StandAlone
from bucketwise.deadline import Deadline
from bucketwise.prices import ModelUsage
from bucketwise.search import Floor, Passage
from bucketwise.telemetry import Metric, Telemetry

CANDIDATES = 50  # that the relevance floor chooses from


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and what became of it."""

    retrieval: Retrieval
    refined: Refined

    @property
    def degraded(self) -> bool:
        return self.retrieval.degraded or self.refined.degraded

    @property
    def usages(self) -> list[ModelUsage]:
        return [self.retrieval.usage, *([self.refined.usage] if self.refined.usage else [])]


@dataclass(frozen=True, slots=True)
class Answer:
    """``below_floor``: which chunks that were found are not relevant; ``of_others``: of documents that do not fit."""

    asked: StandAlone
    found: Found
    draft: Draft
    below_floor: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    of_others: frozenset[tuple[str, int]] = field(default_factory=frozenset)

    @property
    def degraded(self) -> bool:
        """A model failed: what is here was found or made without it."""
        return self.asked.degraded or self.found.degraded or self.draft.reason is Reason.MODEL_FAILED

    @property
    def relevant(self) -> list[Passage]:
        """What was chosen among the passages above the relevance floor."""
        return self.found.refined.passages

    @property
    def question(self) -> str:
        """As it was searched for and answered."""
        return f"{self.asked.context}\n{self.asked.question}".strip()

    @property
    def chats(self) -> list[ModelUsage]:
        """What chat models were sent to rewrite the question and to answer it."""
        return [*self.asked.usages, *self.draft.usages]

    @property
    def timings_ms(self) -> dict[str, float]:
        """Of each step, by its name."""
        found, generate = self.found, {"generate": self.draft.generate_ms}
        return self.asked.timings_ms | found.retrieval.timings_ms | found.refined.timings_ms | generate


@dataclass(frozen=True, slots=True)
class AskPipeline:
    """question -> search -> relevance floor -> refine -> answer; ``conversation`` makes it stand alone before."""

    conversation: ConversationStage
    retrieval: RetrievalStage
    floor: RelevanceFloor
    refinement: Refinement
    answering: AnsweringStage
    telemetry: Telemetry

    def search(self, query: Query, *, joined: bool = False, deadline: Deadline) -> Found:
        """The passages that an answer would be looked for in, whether relevant or not; ``joined`` as a model sees them.

        Raises what RetrievalStage.retrieve raises.
        """
        wanted = max(query.limit, self.refinement.candidates)
        found = self.retrieval.retrieve(replace(query, limit=wanted), deadline=deadline)
        return self._refined(query, found, found.passages, deadline, joined=joined)

    def answer(self, query: Query, asked: StandAlone | None = None, *, deadline: Deadline) -> Answer:
        """An answer to a question that stands alone, or a reason why not. Below the floor no model is called.

        ``asked`` tells how it was made to stand alone.

        A model that fails costs the answer, not the passages. Raises what RetrievalStage.retrieve raises.
        """
        # The floor comes before the cut to what was asked for: a passage that fails it must not take a place. It comes
        # before the rerank too: it stands on values that a rerank does not change, and what it rejects costs nothing.
        retrieval = self.retrieval.retrieve(self._sought(query), deadline=deadline)
        relevant = self.floor.relevant(query.text, retrieval.passages)
        below = frozenset(each.place for each in retrieval.passages if not self.floor.passes(each))
        others = frozenset(each.place for each in retrieval.passages) - below - {each.place for each in relevant}
        found = self._refined(query, retrieval, relevant, deadline, joined=True)
        draft = Draft(reason=Reason.NOTHING_RELEVANT)
        if relevant:
            draft = self.answering.answer(query.text, found.refined.passages, deadline=deadline)
        answer = Answer(asked or StandAlone(query.question, query.context), found, draft, below, others)
        self._count(answer)
        return answer

    def _sought(self, query: Query) -> Query:
        """All that there is to choose from; or what is above the floor, if nothing else chooses.

        A search that knows the floor need not look up each candidate, nor send texts that are not shown.
        """
        candidates = max(query.limit, CANDIDATES, self.refinement.candidates)
        if query.explain or self.refinement.candidates or self.floor.min_fit:
            return replace(query, limit=candidates)
        return replace(query, floor=Floor(candidates, self.floor.min_cosine, self.floor.min_coverage))

    def _refined(
        self, query: Query, found: Retrieval, passages: list[Passage], deadline: Deadline, *, joined: bool
    ) -> Found:
        refined = self.refinement.refine(query.text, passages, limit=query.limit, deadline=deadline, joined=joined)
        return Found(found, refined)

    def _count(self, answer: Answer) -> None:
        count, draft = self.telemetry.count, answer.draft
        if draft.citations:
            count(Metric.CITATIONS_VERIFIED, len(draft.citations))
        if draft.dropped:
            count(Metric.CITATIONS_DROPPED, len(draft.dropped))
        if draft.reason not in {None, Reason.MODEL_FAILED}:
            count(Metric.ANSWERS_REFUSED, 1)
        if answer.degraded:
            count(Metric.ANSWERS_DEGRADED, 1)
