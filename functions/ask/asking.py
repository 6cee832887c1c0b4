"""A question to its reply: from the cache, if the same was answered before and no document has changed since."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

from pydantic import ValidationError

from ask.answer_cache import Cache, CacheEntry, KeptAnswer, KeptVector
from ask.answering import Reason
from ask.pipeline import Answer, AskPipeline
from ask.prompt import Turn
from ask.responses import answer_out, rounded, usage_out
from ask.retrieval import Embedded, Query, check_version
from ask.rewriting import StandAlone
from ask.schemas import AnswerOut, AskResponse, ExplainOut
from bucketwise.deadline import Deadline
from bucketwise.index_kind import IndexKind
from bucketwise.prices import ModelUsage
from bucketwise.telemetry import Metric

# What a model said of the passages. That nothing was found costs no model call, and a failure is nothing to keep.
KEPT_REASONS = {None, Reason.NOT_IN_PASSAGES}

CacheUse = Literal["hit", "miss", "off"]
Link = Callable[[str, str | None], str | None]
"""Makes a link to the version of a key, or none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``answer`` is how it came about, or None if it was kept. The links of ``told`` are not made yet."""

    told: AnswerOut
    corpus_version: int
    cache: CacheUse
    asked: StandAlone
    answer: Answer | None = None
    cache_ms: float | None = None

    @property
    def degraded(self) -> bool:
        return self.answer is not None and self.answer.degraded

    @property
    def timings_ms(self) -> dict[str, float]:
        """Of each step, by its name."""
        looked_up = {} if self.cache_ms is None else {"cache": self.cache_ms}
        return looked_up | (self.answer.timings_ms if self.answer else self.asked.timings_ms)

    @property
    def _chats(self) -> list[ModelUsage]:
        return self.answer.chats if self.answer else self.asked.usages

    def response(self, link: Link, *, explain: ExplainOut | None, request_id: str, total_ms: float) -> AskResponse:
        """In the words of the HTTP contract, with links that are made now."""
        cited = [
            citation.model_copy(update={"url": link(citation.key, citation.version)})
            for citation in self.told.citations
        ]
        return AskResponse(
            **dict(self.told) | {"citations": cited},
            degraded=self.degraded,
            usage=usage_out(self.answer.found if self.answer else None, chats=self._chats),
            timings_ms=rounded(self.timings_ms | {"total": total_ms}),
            corpus_version=self.corpus_version,
            cache=self.cache,
            request_id=request_id,
            explain=explain,
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """question -> rewrite -> cache, or pipeline -> reply. Without a cache each question is answered anew.

    ``fingerprint`` digests all that shapes an answer to a query, in an index of vectors of some kind.
    """

    pipeline: AskPipeline
    cache: Cache | None
    fingerprint: Callable[[Query, IndexKind], bytes]

    def ask(self, query: Query, history: Sequence[Turn], *, use_cache: bool, deadline: Deadline) -> Reply:
        """An answer, or a reason why not. Raises what RetrievalStage.retrieve raises."""
        began = perf_counter()
        asked = self.pipeline.conversation.stand_alone(query.question, history, deadline=deadline)
        query = replace(query, question=asked.question, context=asked.context)
        # What is degraded is not kept, so there is nothing to be found.
        if use_cache and self.cache is not None and not asked.degraded:
            reply = self._ask_cache(self.cache, query, asked, deadline)
        else:
            reply = _reply(self.pipeline.answer(query, asked, deadline=deadline), "off")
        self.pipeline.telemetry.count(Metric.TIME_TO_ANSWER, (perf_counter() - began) * 1000)
        return reply

    def _ask_cache(self, cache: Cache, query: Query, asked: StandAlone, deadline: Deadline) -> Reply:
        began = perf_counter()
        kind = self.pipeline.retrieval.kinds.get(deadline=deadline)
        fingerprint = self.fingerprint(query, kind)
        entry = cache.look_up(fingerprint, query.text, kind, held_key=query.held_key, deadline=deadline)
        looked_up = (perf_counter() - began) * 1000
        if (told := _kept(entry)) and entry.corpus_version is not None:
            check_version(query.min_version, entry.corpus_version, entry.held)
            return Reply(told, entry.corpus_version, "hit", asked, cache_ms=looked_up)
        if entry.vector is not None:
            query = replace(query, embedded=Embedded(kind, entry.vector))
        reply = _reply(self.pipeline.answer(query, asked, deadline=deadline), "miss", looked_up)
        self._keep(cache, query, fingerprint, kind, reply, deadline)
        return reply

    def _keep(
        self, cache: Cache, query: Query, fingerprint: bytes, kind: IndexKind, reply: Reply, deadline: Deadline
    ) -> None:
        answer = reply.answer
        if answer is None or answer.found.retrieval.embedded is None or answer.found.retrieval.embedded.kind != kind:
            return
        embedded = answer.found.retrieval.embedded
        vector = KeptVector(query.text, kind, embedded.vector, embedded.tokens) if query.embedded is None else None
        kept = None
        if answer.draft.reason in KEPT_REASONS and not answer.degraded:
            shown = [*answer.draft.in_prompt, *answer.relevant]
            sources = [(passage.key, passage.version) for passage in shown]
            kept = KeptAnswer(fingerprint, reply.corpus_version, reply.told.model_dump(mode="json"), sources)
        cache.keep(kept, vector, deadline=deadline)


def _reply(answer: Answer, cache: CacheUse, cache_ms: float | None = None) -> Reply:
    return Reply(answer_out(answer), answer.found.retrieval.corpus_version, cache, answer.asked, answer, cache_ms)


def _kept(entry: CacheEntry) -> AnswerOut | None:
    """What was kept, unless by code that had another form for it."""
    if entry.answer is None:
        return None
    try:
        return AnswerOut.model_validate(entry.answer)
    except ValidationError:
        return None
