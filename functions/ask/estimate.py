"""What a request may use at most, told by its text and the settings before any model is called."""

from collections.abc import Sequence
from dataclasses import replace

from ask.prompt import TOKENS_AROUND_A_PASSAGE, Turn
from ask.rerank import RANKING_TOKENS
from ask.retrieval import Query
from ask.rewriting import REWRITE_TOKENS, recent
from bucketwise.prices import ModelUsage
from bucketwise.settings import Settings

# English has 4 bytes to a token, Chinese and digits 3. Gibberish has fewer: what was really used is settled afterwards.
BYTES_PER_TOKEN = 2
# A prompt's instructions, with the JSON schema of the reply.
TOKENS_OF_INSTRUCTIONS = 1000


def of_search(settings: Settings, query: Query) -> list[ModelUsage]:
    """To embed the question with the one before it, and to rerank what is found."""
    asked = _tokens(query.question) + _tokens(query.context)
    return [ModelUsage(settings.embedding_model, asked), *_of_rerank(settings, asked)]


def of_answer(settings: Settings, query: Query, history: Sequence[Turn]) -> list[ModelUsage]:
    """A rewriting if there is a history, a search, and one prompt with all passages that may be in it, answered at full
    length. An answer that has to be asked for once more costs more.
    """
    # If the question cannot be rewritten, it is searched for and answered together with the one before.
    whole = replace(query, context=history[-1].question) if history else query
    prompt = TOKENS_OF_INSTRUCTIONS + settings.max_context_tokens + _tokens(whole.text)
    answering = ModelUsage(settings.answer_model, prompt, settings.answer_tokens)
    return [*_of_rewriting(settings, query, history), *of_search(settings, whole), answering]


def _of_rewriting(settings: Settings, query: Query, history: Sequence[Turn]) -> list[ModelUsage]:
    if not history:
        return []
    said = _tokens(query.question) + sum(_tokens(turn.question) + _tokens(turn.answer) for turn in recent(history))
    model = settings.rewrite_model or settings.answer_model
    return [ModelUsage(model, TOKENS_OF_INSTRUCTIONS + said, REWRITE_TOKENS)]


def _of_rerank(settings: Settings, asked: int) -> list[ModelUsage]:
    passage = settings.whole_document_tokens + TOKENS_AROUND_A_PASSAGE
    match settings.rerank:
        case "endpoint":  # some count the question once for each passage
            tokens = settings.rerank_candidates * (passage + asked)
            return [ModelUsage(settings.rerank_model or "reranker", tokens)]
        case "model":
            tokens = TOKENS_OF_INSTRUCTIONS + settings.rerank_candidates * passage + asked
            return [ModelUsage(settings.rerank_model or settings.answer_model, tokens, RANKING_TOKENS)]
    return []


def _tokens(text: str) -> int:
    return len(text.encode()) // BYTES_PER_TOKEN + 1
