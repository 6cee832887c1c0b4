"""What model providers ask for a million tokens, in US dollars.

Source: OpenAI's public price list (https://openai.com/api/pricing), standard tier, as of April 2025.
A model that is not listed has no price: tokens are reported, dollars are not.
"""

from dataclasses import dataclass

USD_PER_MILLION_TOKENS: dict[str, tuple[float, float]] = {  # model: (input, output)
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
    "text-embedding-ada-002": (0.10, 0.0),
    "gpt-4.1": (2.00, 8.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
    "gpt-4o": (2.50, 10.00),
    "gpt-4o-mini": (0.15, 0.60),
}


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens that one model was sent and sent back."""

    model: str
    input_tokens: int
    output_tokens: int = 0

    @property
    def usd(self) -> float | None:
        """What they cost, or None for a model without a listed price."""
        prices = USD_PER_MILLION_TOKENS.get(self.model)
        if prices is None:
            return None
        return (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / 1_000_000


def total_usd(usages: list[ModelUsage]) -> float | None:
    """The sum, or None as soon as one of the models has no listed price."""
    costs = [usage.usd for usage in usages if usage.input_tokens or usage.output_tokens]
    if any(cost is None for cost in costs):
        return None
    return sum(cost for cost in costs if cost is not None)
