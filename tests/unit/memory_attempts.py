"""Attempts in memory, by the rules of ``ingest.attempts``."""

from dataclasses import dataclass, field
from datetime import timedelta

from ingest.attempts import Earlier
from ingest.receipts import EmbeddingReceipt, Receipt


@dataclass
class Attempt:
    version: str | None
    lapsed: bool = False
    ended: Receipt | None = None
    age: timedelta = timedelta()  # since it began


@dataclass
class MemoryAttempts:
    """Keys and claims to attempts."""

    noted: dict[tuple[str, int], Attempt] = field(default_factory=dict)

    def begin(self, key: str, version: str | None, claim: int, ended: int | None) -> Earlier:
        told_of = self.noted.get((key, ended or 0))
        if told_of is not None and told_of.ended is None:
            del self.noted[key, ended or 0]
        same = [one for (of, _), one in self.noted.items() if of == key and one.version == version]
        self.noted[key, claim] = Attempt(version)
        stalls = [one for one in same if one.ended is not None and one.ended.stalled]
        paid = [one.ended.embedding for one in same if one.ended is not None]
        return Earlier(
            lost=sum(one.lapsed and one.ended is None for one in same),
            stalls=len(stalls),
            stalled_for=max((one.age for one in stalls), default=timedelta()),
            embedding=EmbeddingReceipt(
                embedded=sum(one.embedded for one in paid),
                tokens=sum(one.tokens for one in paid),
                cost_usd=None if any(one.cost_usd is None for one in paid) else sum(one.cost_usd or 0 for one in paid),
            ),
        )

    def end(self, key: str, claim: int, receipt: Receipt) -> None:
        self.noted[key, claim].ended = receipt
        if not (receipt.stalled or receipt.embedding.embedded or receipt.embedding.tokens):
            del self.noted[key, claim]

    def pass_time(self, time: timedelta) -> None:
        for one in self.noted.values():
            one.lapsed = True
            one.age += time

    def settle(self, key: str, claim: int) -> None:
        for attempt in [one for one in self.noted if one[0] == key and one[1] <= claim]:
            del self.noted[attempt]
