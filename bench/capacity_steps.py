"""What single steps cost, as measured: the numbers that ``bench.capacity`` computes with."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

RECORDED = Path(__file__).with_name("capacity_steps.json")
CHARACTERS_PER_TOKEN = 4  # of English; OpenAI's help page "What are tokens and how to count them?"


@dataclass(frozen=True, slots=True)
class Steps:
    """Times of single steps on one core, and bytes for each chunk.

    ``search_*`` and ``larger_*``: the database's part of a question at two sizes of the index. ``ask_*``: all of a
    question but the models' time, at the smaller size. ``ingest_*``: one document from event to searchable, with
    one embedding request, on a machine that PostgreSQL shares.
    """

    search_chunks: float
    search_p50_ms: float
    search_p95_ms: float
    larger_chunks: float
    larger_p50_ms: float
    larger_p95_ms: float
    ask_p50_ms: float
    ask_p95_ms: float
    cached_p50_ms: float
    cached_p95_ms: float
    ingest_document_s: float
    ingest_document_chunks: float
    ingest_model_ms: float
    ingest_to_copy: float
    hnsw_bytes: float
    postings_bytes: float
    key_index_bytes: float
    vector_bytes: float
    text_bytes: float
    chunks_per_megabyte: float

    @classmethod
    def of(cls, measured: Mapping[str, Mapping[str, object]]) -> Self:
        """Raises ValueError, naming what is missing, unknown or not above 0."""
        names = {field.name for field in fields(cls)}
        if measured.keys() != names:
            raise ValueError(f"missing {sorted(names - measured.keys())}, unknown {sorted(measured.keys() - names)}")
        values = {name: float(str(measured[name]["value"])) for name in names}
        wrong = [name for name, value in values.items() if not 0 < value < math.inf]
        if wrong:
            raise ValueError(f"not above 0: {', '.join(sorted(wrong))}")
        return cls(**values)

    def search_ms(self, chunks: float) -> tuple[float, float]:
        """p50 and p95 of the database's part of a question.

        p50 is a power of the number of chunks, through the two that were measured (which does not fall, even if a
        measurement of few chunks did): beyond the larger one it is extrapolated. p95 stands to it as it did there.
        """
        share = math.log(max(chunks, 1) / self.search_chunks) / math.log(self.larger_chunks / self.search_chunks)
        p50 = self.search_p50_ms * max(1.0, self.larger_p50_ms / self.search_p50_ms) ** share
        small, large = self.search_p95_ms / self.search_p50_ms, self.larger_p95_ms / self.larger_p50_ms
        return p50, p50 * small * (large / small) ** min(max(share, 0.0), 1.0)

    @property
    def function_ms(self) -> tuple[float, float]:
        """p50 and p95 of what ask does itself: its overhead less the search, as far as that leaves any."""
        p50 = max(self.ask_p50_ms - self.search_p50_ms, 0.1)
        return p50, max(self.ask_p95_ms - self.search_p95_ms, p50)

    @property
    def chunk_ms(self) -> float:
        """From the event until a chunk is searchable, the model's time left out."""
        return (self.ingest_document_s * 1000 - self.ingest_model_ms) / self.ingest_document_chunks

    @property
    def chunk_database_ms(self) -> float:
        """PostgreSQL's CPU time for a chunk: what a COPY of the same rows takes, which is PostgreSQL's alone."""
        return self.chunk_ms * self.ingest_to_copy

    @property
    def hot_bytes(self) -> float:
        """Of a chunk, what nearly every search reads: vector index, postings and the indexes of keys."""
        return self.hnsw_bytes + self.postings_bytes + self.key_index_bytes

    @property
    def stored_bytes(self) -> float:
        return self.hot_bytes + self.vector_bytes + self.text_bytes

    @property
    def tokens_per_chunk(self) -> float:
        return 1_000_000 / self.chunks_per_megabyte / CHARACTERS_PER_TOKEN


def read_steps(path: Path = RECORDED) -> tuple[Steps, str]:
    """The steps in a file, and when they were recorded. Raises ValueError."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Steps.of(content["steps"]), str(content["recorded"])
