"""What a request reserves before a model is called."""

import pytest

from ask import estimate
from ask.prompt import Turn, build_prompt, conversation, instructions
from ask.rerank import RANKING_TOKENS
from ask.retrieval import Query
from ask.rewriting import MOST_TURNS, PROMPT_VERSION, REWRITE_TOKENS
from bucketwise.prices import ModelUsage
from bucketwise.settings import Settings
from ingest.tokens import count_tokens
from tests.unit.fakes import passage

QUESTIONS = [
    "How many days of annual leave do shore staff have?",
    "Сколько дней отпуска положено береговому персоналу?",
    "岸上员工每年有多少天年假？",
    "SELECT id, 4711, 0.125 FROM t WHERE a <> 'b';",
]
SHOWN = [passage(f"Shore staff have {number} days of leave. " * 20, tokens=160) for number in range(100)]


def settings(**variables: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"} | variables)


def tokens(usages: list[ModelUsage]) -> int:
    return sum(usage.input_tokens + usage.output_tokens for usage in usages)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_no_more_tokens_than_are_reserved(question: str) -> None:
    [embedding] = estimate.of_search(settings(), Query(question, context=question))
    assert embedding.model == "text-embedding-3-small"
    assert 2 * count_tokens(question) <= embedding.input_tokens <= 2 * len(question.encode())


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_largest_prompt_and_answer_have_no_more_tokens_than_are_reserved(question: str) -> None:
    given = settings(MAX_CONTEXT_TOKENS="2000", ANSWER_TOKENS="300")
    prompt = build_prompt(question=question, passages=SHOWN, max_context_tokens=2000)
    _, generation = estimate.of_answer(given, Query(question), [])
    assert sum(count_tokens(text) for _, text in prompt.messages()) <= generation.input_tokens
    assert (generation.model, generation.output_tokens) == (given.answer_model, 300)


@pytest.mark.parametrize("question", QUESTIONS)
def test_with_a_history_the_rewriting_is_reserved_too(question: str) -> None:
    history = [Turn(question, question * 3)] * 5
    rewriting, embedding, generation = estimate.of_answer(settings(REWRITE_MODEL="small"), Query(question), history)
    shown = instructions(PROMPT_VERSION) + conversation(question, history)
    assert (rewriting.model, rewriting.output_tokens) == ("small", REWRITE_TOKENS)
    assert count_tokens(shown) <= rewriting.input_tokens
    # Not rewritten, the question is searched for and answered together with the one before.
    assert 2 * count_tokens(question) <= embedding.input_tokens
    [_, alone] = estimate.of_answer(settings(), Query(question), [])
    assert generation.input_tokens >= alone.input_tokens + count_tokens(question)


def test_each_turn_that_is_read_adds_to_it() -> None:
    more = [estimate.of_answer(settings(), Query("x"), [Turn("a" * 100, "b" * 1000)] * turns) for turns in range(1, 9)]
    assert [tokens(each) - tokens(more[0]) for each in more] == [min(turns, MOST_TURNS - 1) * 552 for turns in range(8)]


def test_what_reranking_takes_is_reserved_with_it() -> None:
    query = Query(QUESTIONS[0])
    plain = tokens(estimate.of_search(settings(), query))
    endpoint = settings(RERANK="endpoint", RERANK_URL="https://rerank.test", RERANK_MODEL="ranker")
    assert [usage.model for usage in estimate.of_search(endpoint, query)] == ["text-embedding-3-small", "ranker"]
    assert tokens(estimate.of_search(endpoint, query)) > plain + 50 * 360
    [_, chat] = estimate.of_search(settings(RERANK="model"), query)
    assert (chat.model, chat.output_tokens) == ("gpt-4.1-mini", RANKING_TOKENS)
    assert chat.input_tokens > 50 * 360
