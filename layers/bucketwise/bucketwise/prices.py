"""What tokens cost, by the table in ``prices.json``, which says where its prices are from and of when.

A model that is not listed has no price: tokens are reported, dollars are not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class PriceTable:
    """``models`` holds US dollars for a million tokens of input and of output; ``date`` is a year and a month."""

    date: str
    source: str
    models: Mapping[str, tuple[float, float]]


@cache
def price_table() -> PriceTable:
    """Read on first use, once."""
    table = json.loads((files(__package__) / "prices.json").read_text(encoding="utf-8"))
    models = {
        model: (float(price["input"]), float(price.get("output", 0)))
        for model, price in table["usd_per_million_tokens"].items()
    }
    return PriceTable(table["date"], table["source"], models)


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens that one model was sent and sent back."""

    model: str
    input_tokens: int
    output_tokens: int = 0

    @property
    def usd(self) -> float | None:
        """What they cost, or None for a model without a listed price."""
        prices = price_table().models.get(self.model)
        if prices is None:
            return None
        return (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / 1_000_000


def total_usd(usages: list[ModelUsage]) -> float | None:
    """The sum, or None as soon as one of the models has no listed price."""
    costs = [usage.usd for usage in usages if usage.input_tokens or usage.output_tokens]
    if any(cost is None for cost in costs):
        return None
    return sum(cost for cost in costs if cost is not None)
