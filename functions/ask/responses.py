"""The pipeline's values in the words of the HTTP contract."""

from collections.abc import Sequence
from dataclasses import asdict

from ask.citations import Citation
from ask.pipeline import Answer, Found
from ask.schemas import AnswerOut, CitationOut, PassageOut, SearchResponse, SentenceOut, UsageOut
from bucketwise.prices import ModelUsage, total_usd
from bucketwise.search import Passage


def answer_out(answer: Answer) -> AnswerOut:
    """Without links to what is cited."""
    draft = answer.draft
    return AnswerOut(
        answered=draft.text is not None,
        answer=draft.text,
        reason=draft.reason.value if draft.reason else None,
        missing=draft.missing,
        citations=[_citation(citation) for citation in draft.citations],
        unsupported=[SentenceOut(start=start, end=end) for start, end in draft.unsupported],
        passages=[passage_out(passage) for passage in answer.relevant] if draft.text is None else [],
    )


def search_response(found: Found, *, request_id: str, total_ms: float) -> SearchResponse:
    retrieval, refined = found.retrieval, found.refined
    return SearchResponse(
        passages=[passage_out(passage) for passage in refined.passages],
        degraded=found.degraded,
        usage=usage_out(found),
        timings_ms=rounded(retrieval.timings_ms | refined.timings_ms | {"total": total_ms}),
        corpus_version=retrieval.corpus_version,
        request_id=request_id,
    )


def passage_out(passage: Passage) -> PassageOut:
    return PassageOut(
        **asdict(passage.place_at(passage.start)),
        key=passage.key,
        version=passage.version,
        title=passage.title,
        text=passage.text,
        start=passage.start,
        end=passage.start + len(passage.text),
        score=passage.score,
        vector_rank=passage.vector_rank,
        cosine=passage.cosine,
        keyword_rank=passage.keyword_rank,
        keyword_score=passage.keyword_score,
        coverage=passage.coverage,
        rerank_rank=passage.rerank_rank,
        rerank_score=passage.rerank_score,
    )


def usage_out(found: Found | None, *, chats: Sequence[ModelUsage] = ()) -> UsageOut:
    """``chats``: of the chat models that rewrote or answered. ``found`` is None if nothing was searched for."""
    rerank = found.refined.usage if found else None
    return UsageOut(
        embedding_tokens=found.retrieval.usage.input_tokens if found else 0,
        rerank_tokens=rerank.input_tokens + rerank.output_tokens if rerank else 0,
        prompt_tokens=sum(usage.input_tokens for usage in chats),
        completion_tokens=sum(usage.output_tokens for usage in chats),
        usd=total_usd([*(found.usages if found else []), *chats]),
    )


def _citation(citation: Citation) -> CitationOut:
    return CitationOut(
        **asdict(citation.place),
        marker=citation.marker,
        key=citation.passage.key,
        version=citation.passage.version,
        title=citation.passage.title,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        url=None,
    )


def rounded(timings: dict[str, float]) -> dict[str, float]:
    return {step: round(milliseconds, 1) for step, milliseconds in timings.items()}
