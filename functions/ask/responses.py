"""The pipeline's values in the words of the HTTP contract."""

from collections.abc import Sequence
from dataclasses import asdict

from ask.citations import Citation
from ask.pipeline import Answer, Found
from ask.prompt import PROMPT_VERSION
from ask.schemas import AskResponse, CitationOut, ExplainOut, PassageOut, SearchResponse, UsageOut
from bucketwise.prices import ModelUsage, total_usd
from bucketwise.search import Passage


def ask_response(
    answer: Answer, *, links: Sequence[str | None], explain: bool, request_id: str, total_ms: float
) -> AskResponse:
    """``links[i]`` leads to what the i-th citation quotes."""
    found, refined = answer.retrieval, answer.found.refined
    return AskResponse(
        answered=answer.text is not None,
        answer=answer.text,
        reason=answer.reason.value if answer.reason else None,
        degraded=answer.degraded,
        citations=[_citation(*cited) for cited in zip(answer.citations, links, strict=True)],
        passages=[passage_out(passage) for passage in answer.relevant] if answer.text is None else [],
        usage=usage_out(found.usage, refined.usage, answer.usage),
        timings_ms=_rounded(
            found.timings_ms | refined.timings_ms | {"generate": answer.generate_ms, "total": total_ms}
        ),
        corpus_version=found.corpus_version,
        request_id=request_id,
        explain=_explain(answer) if explain else None,
    )


def search_response(found: Found, *, request_id: str, total_ms: float) -> SearchResponse:
    retrieval, refined = found.retrieval, found.refined
    return SearchResponse(
        passages=[passage_out(passage) for passage in refined.passages],
        degraded=found.degraded,
        usage=usage_out(retrieval.usage, refined.usage, None),
        timings_ms=_rounded(retrieval.timings_ms | refined.timings_ms | {"total": total_ms}),
        corpus_version=retrieval.corpus_version,
        request_id=request_id,
    )


def usages(found: Found, generation: ModelUsage | None = None) -> list[ModelUsage]:
    """Of all models that were called."""
    called = (found.retrieval.usage, found.refined.usage, generation)
    return [usage for usage in called if usage is not None]


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


def usage_out(embedding: ModelUsage, rerank: ModelUsage | None, generation: ModelUsage | None) -> UsageOut:
    return UsageOut(
        embedding_tokens=embedding.input_tokens,
        rerank_tokens=rerank.input_tokens + rerank.output_tokens if rerank else 0,
        prompt_tokens=generation.input_tokens if generation else 0,
        completion_tokens=generation.output_tokens if generation else 0,
        usd=total_usd([usage for usage in (embedding, rerank, generation) if usage is not None]),
    )


def _citation(citation: Citation, link: str | None) -> CitationOut:
    return CitationOut(
        **asdict(citation.place),
        marker=citation.marker,
        key=citation.passage.key,
        version=citation.passage.version,
        title=citation.passage.title,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        url=link,
    )


def _explain(answer: Answer) -> ExplainOut:
    refined = answer.found.refined
    reranked = {(passage.key, passage.ordinal): passage for passage in refined.reranked}
    return ExplainOut(
        prompt_version=PROMPT_VERSION,
        candidates=[
            passage_out(reranked.get((passage.key, passage.ordinal), passage)) for passage in answer.retrieval.passages
        ],
        near_duplicates=refined.near_duplicates,
        crowded_out=refined.crowded_out,
        relevant=len(answer.relevant),
        in_prompt=answer.in_prompt,
        quotes_dropped=answer.quotes_dropped,
    )


def _rounded(timings: dict[str, float]) -> dict[str, float]:
    return {step: round(milliseconds, 1) for step, milliseconds in timings.items()}
