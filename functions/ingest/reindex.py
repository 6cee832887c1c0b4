"""Takes an index over to another embedding model while it is in use, and back.

The texts of all chunks are in the index, so nothing is read from the bucket. Vectors of the new kind are made
beside the live ones, as far as time allows; what is there already is never made again, so the next run goes on.
When no text is without a vector, the new kind goes live. The old kind is kept until it is dropped: to go back
is to go over to it, and costs only the texts that came since.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded
from bucketwise.index_kind import IndexKind
from bucketwise.models import Chunk
from ingest.embedding_sets import LIVE_TABLE, EmbeddingSets, MissingText
from ingest.embedding_stage import EmbeddingRun, EmbeddingStage

PAGE = 1000
MOST_TRIES = 5
SWITCH_SECONDS = 60.0


@dataclass(slots=True)
class Progress:
    """What one run did. ``live``: the kind asked for is the one that searches use now."""

    live: bool = False
    embedded: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Reindex:
    """``stage_for`` makes the embedding stage of a tenant for a kind and the name of its table. ``vector_index`` is the
    kind of vector index of a set that is made now: auto, halfvec or binary."""

    sets: EmbeddingSets
    stage_for: Callable[[IndexKind, str, str], EmbeddingStage]
    vector_index: str = "auto"

    def go_over(self, kind: IndexKind, *, deadline: Deadline) -> Progress:
        """Goes as far as the time allows. Raises what the database or the model failed with."""
        progress = Progress()
        table = self.sets.prepare(kind, self.vector_index, deadline=deadline)
        if table == LIVE_TABLE:
            progress.live = True
            return progress
        for _ in range(MOST_TRIES):  # ingest goes on meanwhile, and may have come to new texts
            try:
                for tenant in self.sets.tenants(deadline=deadline):
                    self._fill(kind, table, tenant, progress, deadline)
                progress.live = self.sets.switch(kind, deadline=deadline)
            except DeadlineExceeded:
                if deadline.remaining() < SWITCH_SECONDS:
                    return progress
            if progress.live:
                self.sets.validate(deadline=deadline)
                return progress
        return progress

    def drop_others(self, *, deadline: Deadline) -> Progress:
        """Drops the kinds that are not live: there is no quick way back afterwards."""
        return Progress(live=True, dropped=self.sets.drop_others(deadline=deadline))

    def _fill(self, kind: IndexKind, table: str, tenant: str, progress: Progress, deadline: Deadline) -> None:
        stage = self.stage_for(kind, table, tenant)
        after = b""
        while texts := self.sets.missing(table, tenant, after=after, most=PAGE, deadline=deadline):
            with stage.run(deadline=deadline) as run:
                try:
                    _embed(run, texts)
                finally:
                    run.wind_up()
                    _add(progress, run)
            after = texts[-1].text_sha256


def _embed(run: EmbeddingRun, texts: list[MissingText]) -> None:
    for ordinal, missing in enumerate(texts):
        run.add(Chunk(ordinal, missing.text, missing.tokens, 0, len(missing.text), ()))
    run.finish()


def _add(progress: Progress, run: EmbeddingRun) -> None:
    receipt = run.receipt
    progress.embedded += receipt.embedded
    progress.tokens += receipt.tokens
    known = progress.cost_usd is not None and receipt.cost_usd is not None
    progress.cost_usd = (progress.cost_usd or 0.0) + (receipt.cost_usd or 0.0) if known else None
