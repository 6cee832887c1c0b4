"""What a test's cache holds, by the rules of the real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ask.answer_cache import CacheEntry, KeptAnswer, KeptVector
from bucketwise.deadline import Deadline
from bucketwise.index_kind import IndexKind
from bucketwise.search import HeldVersion


@dataclass
class MemoryAnswerCache:
    """``corpus_version`` is the index's own, and ``held`` its objects by key; ``forget`` is a change of a document."""

    corpus_version: int = 7
    answers: dict[bytes, tuple[int, dict[str, Any], frozenset[str]]] = field(default_factory=dict)
    vectors: dict[tuple[str, IndexKind], tuple[list[float], int]] = field(default_factory=dict)
    held: Mapping[str, HeldVersion] = field(default_factory=dict)

    def look_up(
        self, fingerprint: bytes, question: str, kind: IndexKind, *, held_key: str | None = None, deadline: Deadline
    ) -> CacheEntry:
        deadline.allow(1)
        version, answer, _ = self.answers.get(fingerprint, (None, None, None))
        answer = answer if version == self.corpus_version else None
        vector, tokens = self.vectors.get((question, kind), (None, 0)) if answer is None else (None, 0)
        return CacheEntry(self.corpus_version, answer, vector, tokens, self.held.get(held_key or ""))

    def keep(self, answer: KeptAnswer | None, vector: KeptVector | None, *, deadline: Deadline) -> None:
        if deadline.remaining() <= 0:
            return
        if vector:
            self.vectors[vector.question, vector.kind] = list(vector.vector), vector.tokens
        if answer and answer.corpus_version == self.corpus_version:
            sources = frozenset(key for key, _ in answer.sources)
            self.answers[answer.fingerprint] = answer.corpus_version, answer.answer, sources

    def forget(self, key: str) -> None:
        self.corpus_version += 1
        self.answers = {mark: kept for mark, kept in self.answers.items() if key not in kept[2]}
