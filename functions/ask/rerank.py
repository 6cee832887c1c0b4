"""Passages ranked anew by a model that reads each of them together with the question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

import openai
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from ask.generation import complete
from ask.prompt import about, instructions
from ask.replies import json_in
from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelReplyInvalid
from bucketwise.model_calls import call_model, posted
from bucketwise.prices import ModelUsage
from bucketwise.search import Passage
from bucketwise.spending import tell_usage, tokens_said

PROMPT_VERSION = "rerank-v1"
TRIES = 2
MOST_SECONDS = 60.0
RANKING_TOKENS = 2000  # of a reply that names 200 passages


@dataclass(frozen=True, slots=True)
class Ranking:
    """``ranked`` holds (place in what was given, score) of distinct passages, best first; it may leave some out."""

    ranked: list[tuple[int, float | None]]
    usage: ModelUsage


class Reranker(Protocol):
    def rank(self, question: str, passages: Sequence[Passage], *, deadline: Deadline) -> Ranking:
        """Raises ModelUnavailable, ModelRefused, ModelReplyInvalid, DeadlineExceeded or SecretUnavailable."""
        ...


def in_order_of(ranking: Ranking, passages: Sequence[Passage]) -> list[Passage]:
    """The passages that were ranked, then those left out in the order they had."""
    ranked = [
        replace(passages[place], rerank_rank=rank, rerank_score=score)
        for rank, (place, score) in enumerate(ranking.ranked, start=1)
    ]
    places = {place for place, _ in ranking.ranked}
    return ranked + [passage for place, passage in enumerate(passages) if place not in places]


class _Result(BaseModel):
    index: Annotated[int, Field(strict=True, ge=0)]
    relevance_score: Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Reply(BaseModel):
    """Cohere, Jina and vLLM call the list ``results``, Voyage calls it ``data``."""

    results: list[_Result] = Field(validation_alias=AliasChoices("results", "data"))


@dataclass(frozen=True, slots=True)
class EndpointReranker:
    """A server with ``POST /rerank`` as Cohere has it (its API reference, "Rerank"). ``client`` makes its client."""

    client: Callable[[], openai.OpenAI]
    model: str
    circuit: Circuit | None = None

    def rank(self, question: str, passages: Sequence[Passage], *, deadline: Deadline) -> Ranking:
        """All passages by their scores; of equal scores in the order they had. Raises as Reranker says."""
        client = self.client()
        return call_model(
            lambda timeout: self._rank_once(client, question, passages, timeout),
            deadline=deadline,
            tries=TRIES,
            most_seconds=MOST_SECONDS,
            circuit=self.circuit,
        )

    def _rank_once(self, client: openai.OpenAI, question: str, passages: Sequence[Passage], timeout: float) -> Ranking:
        # No `top_n`: all are to be ranked, and Voyage has another name for it.
        body = {"query": question, "documents": [_document(passage) for passage in passages]}
        reply = posted(client, "/rerank", body | ({"model": self.model} if self.model else {}), timeout=timeout)
        if not isinstance(reply, dict):
            raise ModelReplyInvalid("the reranker's reply is no object")
        tokens = tokens_said(reply, "total_tokens") or sum(passage.tokens for passage in passages)
        usage = ModelUsage(self.model or "reranker", tokens)
        tell_usage(usage)
        said = _Reply.model_validate(reply)
        results = sorted(said.results, key=lambda result: (-result.relevance_score, result.index))
        if sorted(result.index for result in results) != list(range(len(passages))):
            raise ModelReplyInvalid(f"asked to rank {len(passages)} passages, got {len(results)} or other indexes")
        return Ranking([(result.index, result.relevance_score) for result in results], usage)


class _RankedNumbers(BaseModel):
    """What a chat model must reply with: this model's JSON schema is sent along."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ranking: list[int]


@dataclass(frozen=True, slots=True)
class ChatReranker:
    """A chat model that reads all passages at once and names those that help, best first. It gives no scores."""

    client: openai.OpenAI
    model: str
    circuit: Circuit | None = None

    def rank(self, question: str, passages: Sequence[Passage], *, deadline: Deadline) -> Ranking:
        """Raises as Reranker says."""
        return call_model(
            lambda timeout: self._rank_once(question, passages, timeout),
            deadline=deadline,
            tries=TRIES,
            most_seconds=MOST_SECONDS,
            circuit=self.circuit,
        )

    def _rank_once(self, question: str, passages: Sequence[Passage], timeout: float) -> Ranking:
        content, usage = complete(
            self.client,
            self.model,
            (("system", instructions(PROMPT_VERSION)), ("user", about(question, passages))),
            form=_RankedNumbers,
            name="ranking",
            most_tokens=RANKING_TOKENS,
            timeout=timeout,
        )
        try:
            said = _RankedNumbers.model_validate_json(json_in(content))
        except ValidationError:
            raise ModelReplyInvalid("the model's reply does not fit the schema") from None
        if len(set(said.ranking)) < len(said.ranking) or not set(said.ranking) <= set(range(1, len(passages) + 1)):
            raise ModelReplyInvalid(f"of {len(passages)} passages, the model ranked one twice or one that is not there")
        return Ranking([(number - 1, None) for number in said.ranking], usage)


def _document(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text
