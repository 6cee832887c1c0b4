"""What tokens cost."""

import re

import pytest

from bucketwise.prices import ModelUsage, price_table, total_usd
from bucketwise.settings import Settings


def test_a_million_tokens_cost_the_listed_price() -> None:
    assert ModelUsage("gpt-4.1-mini", 1_000_000).usd == pytest.approx(0.40)
    assert ModelUsage("gpt-4.1-mini", 0, 1_000_000).usd == pytest.approx(1.60)
    assert ModelUsage("text-embedding-3-small", 50).usd == pytest.approx(0.000001)


def test_a_model_without_a_listed_price_has_no_cost() -> None:
    assert ModelUsage("llama", 10).usd is None


def test_costs_add_up() -> None:
    usages = [ModelUsage("text-embedding-3-small", 1_000_000), ModelUsage("gpt-4.1-mini", 1_000_000, 1_000_000)]
    assert total_usd(usages) == pytest.approx(0.02 + 0.40 + 1.60)
    assert total_usd([]) == 0


def test_a_sum_with_an_unknown_part_is_not_known() -> None:
    assert total_usd([ModelUsage("gpt-4.1-mini", 5), ModelUsage("llama", 5)]) is None


def test_an_unknown_model_that_did_nothing_cost_nothing() -> None:
    assert total_usd([ModelUsage("gpt-4.1-mini", 1_000_000), ModelUsage("llama", 0)]) == pytest.approx(0.40)


def test_the_table_says_of_when_and_from_where_its_prices_are() -> None:
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", price_table().date)
    assert "https://" in price_table().source
    assert price_table().models
    assert all(price > 0 for price, _ in price_table().models.values())


@pytest.mark.parametrize("field", ["embedding_model", "answer_model"])
def test_the_default_models_have_a_price(field: str) -> None:
    assert Settings.model_fields[field].default in price_table().models
