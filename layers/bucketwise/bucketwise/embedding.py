"""Texts to vectors through the OpenAI embeddings API, with every reply checked."""

import math
from array import array
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import openai
from pydantic import BaseModel, ConfigDict

from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelReplyInvalid
from bucketwise.model_calls import call_model, posted
from bucketwise.prices import ModelUsage
from bucketwise.spending import tell_usage, tokens_said

MOST_INPUTS = 2048  # of one request: OpenAI's API reference, "Create embeddings"
MOST_SECONDS = 60.0
LARGEST_HALF = 65_504.0  # the largest number that a halfvec's elements can hold
SMALLEST_NORM = 2**-19  # so, of 4096 elements or fewer, one is above 2**-25, and no zero in half precision


@dataclass(frozen=True, slots=True)
class Embeddings:
    """``vectors[i]`` belongs to the i-th text; ``tokens`` is what the server charges for."""

    vectors: list[list[float]]
    tokens: int


class _Item(BaseModel):
    """Numbers, or base64 of little-endian floats of 32 bits, which is asked for; not every server knows it."""

    model_config = ConfigDict(strict=True)
    index: int
    embedding: str | list[float]

    @property
    def vector(self) -> list[float]:
        if isinstance(self.embedding, list):
            return self.embedding
        return array("f", b64decode(self.embedding)).tolist()


class _Reply(BaseModel):
    data: list[_Item]


class Embedder(Protocol):
    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings: ...


@dataclass(frozen=True, slots=True)
class OpenAIEmbedder:
    client: openai.OpenAI
    model: str
    dimensions: int
    circuit: Circuit | None = None

    def embed(self, texts: Sequence[str], *, deadline: Deadline, tries: int = 1) -> Embeddings:
        """One vector of ``dimensions`` finite numbers for each of 1..2048 non-empty texts.

        Raises ModelUnavailable, ModelRefused, ModelReplyInvalid or DeadlineExceeded.
        """
        return call_model(
            lambda timeout: self._embed_once(texts, timeout),
            deadline=deadline,
            tries=tries,
            most_seconds=MOST_SECONDS,
            circuit=self.circuit,
        )

    def _embed_once(self, texts: Sequence[str], timeout: float) -> Embeddings:
        body: dict[str, object] = {"input": list(texts), "model": self.model, "encoding_format": "base64"}
        # Only OpenAI's third generation takes `dimensions`; other servers refuse a parameter they do not know.
        if self.model.startswith("text-embedding-3"):
            body["dimensions"] = self.dimensions
        # Not `embeddings.create`: what that knows of types takes longer than all else that is done to a call.
        reply = posted(self.client, "/embeddings", body, timeout=timeout)
        tokens = tokens_said(reply, "prompt_tokens")
        tell_usage(ModelUsage(self.model, tokens))
        return Embeddings(_checked_vectors(reply, count=len(texts), dimensions=self.dimensions), tokens)


def _checked_vectors(reply: object, *, count: int, dimensions: int) -> list[list[float]]:
    data = sorted(_Reply.model_validate(reply).data, key=lambda item: item.index)
    if [item.index for item in data] != list(range(count)):
        raise ModelReplyInvalid(f"asked for {count} embeddings, got {len(data)} or other indexes")
    vectors = [item.vector for item in data]
    for vector in vectors:
        if len(vector) != dimensions:
            raise ModelReplyInvalid(f"expected {dimensions} dimensions, got {len(vector)}")
        # hypot is NaN or infinite as soon as one element is; a vector that is zero once it is stored has no cosine.
        if not SMALLEST_NORM <= math.hypot(*vector) <= LARGEST_HALF:
            raise ModelReplyInvalid("a vector is zero or holds numbers that are not finite")
    return vectors
