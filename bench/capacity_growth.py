"""What an index of so many chunks takes: memory, clusters, storage, dollars, and days to fill it."""

import math
from dataclasses import asdict, dataclass

from bench.capacity_bounds import Settings, chunks_of_document, documents_a_day
from bench.capacity_limits import PRICES, limit
from bench.capacity_steps import Steps

SHARED = "embedding model"
GROUPS = (2, 10, 100)
CHUNKS = (200_000, 1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True, slots=True)
class Growth:
    """``acu`` keep what is hot in memory, in ``clusters`` of at most 256 each; dollars are a month's, always awake."""

    chunks: int
    hot_gib: float
    acu: float
    clusters: int
    chunks_per_cluster: float
    search_p50_ms: float
    search_p95_ms: float
    stored_gb: float
    storage_usd: float
    acu_usd: float
    embedding_usd: float
    days_to_fill: float


def grown(chunks: int, steps: Steps, filling: Settings) -> Growth:
    """``filling``: the settings with which the index is filled, each cluster by a stack of its own.

    The limits of the embedding model are shared by all of them, as they are those of an account.
    """
    hot = chunks * steps.hot_bytes
    acu = acu_for(hot / 2**30)
    clusters = math.ceil(acu / limit("Aurora, capacity units of an instance"))
    each = chunks / clusters
    p50, p95 = steps.search_ms(each)
    stored = chunks * steps.stored_bytes / 1e9
    documents = chunks / chunks_of_document(filling, steps)
    days = [
        documents / bound.value / (1 if bound.what.startswith(SHARED) else clusters)
        for bound in documents_a_day(filling, steps)
    ]
    return Growth(
        chunks=chunks,
        hot_gib=hot / 2**30,
        acu=acu,
        clusters=clusters,
        chunks_per_cluster=each,
        search_p50_ms=p50,
        search_p95_ms=p95,
        stored_gb=stored,
        storage_usd=stored * PRICES["storage_gb_month"],
        acu_usd=acu * PRICES["acu_hour"] * PRICES["hours_a_month"],
        embedding_usd=chunks * steps.tokens_per_chunk / 1e6 * PRICES["embedding_million_tokens"],
        days_to_fill=max(days),
    )


def groups(steps: Steps) -> list[dict[str, float]]:
    """The largest index in so many groups of tenants: each a stack with a cluster and a network of its own."""
    return [_grouped(count, steps) for count in GROUPS]


def _grouped(count: int, steps: Steps) -> dict[str, float]:
    each = CHUNKS[-1] // count
    hot_gib = each * steps.hot_bytes / 2**30
    acu = acu_for(hot_gib)
    p50, p95 = steps.search_ms(each)
    return {
        "groups": count,
        "chunks": each,
        "acu": acu,
        "search_p50_ms": p50,
        "search_p95_ms": p95,
        "acu_usd": count * acu * PRICES["acu_hour"] * PRICES["hours_a_month"],
        "network_usd": count * (PRICES["nat_hour"] + PRICES["address_hour"]) * PRICES["hours_a_month"],
    }


def acu_for(hot_gib: float) -> float:
    """In steps of a half, so many capacity units as hold this in their memory for pages."""
    gib = limit("Aurora, GiB of memory of a capacity unit") * limit("Aurora, share of memory for pages")
    return max(0.5, math.ceil(hot_gib / gib * 2) / 2)


def growth(steps: Steps, filling: Settings) -> list[dict[str, float]]:
    return [asdict(grown(chunks, steps, filling)) for chunks in CHUNKS]
