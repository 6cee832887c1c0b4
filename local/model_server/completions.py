"""The text of a completion: an extracted answer as prose, or as the JSON that was asked for."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.model_server.answers import Quote, answer
from local.model_server.embeddings import Embedder
from local.model_server.json_schema import Schema, fill, string_properties
from local.model_server.prompt import Prompt, read_prompt
from local.model_server.ranking import fitting
from local.model_server.sentences import split_sentences

NOT_ANSWERED = "The passages do not answer this question."

_LINE_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+•]\s+|\d{1,3}[.)]\s+)+|\s+#+\s*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_MARKER = re.compile(r"\s?\[\d+\]")
_EMPHASIS = re.compile(r"\*+(?=\S)|(?<=\S)\*+|`+")
_CELL_WALL = re.compile(r"(?:\s*\|)+\s*")
_STOPS = ".!?。！？"


def complete(messages: Sequence[Mapping[str, Any]], embedder: Embedder, *, schema: Schema | None) -> str:
    """Answer the messages. With a schema the text is JSON that fits it; an empty schema is any JSON."""
    prompt = read_prompt(messages)
    if prompt.rewrite:
        return _rewritten(" ".join(filter(None, [prompt.before, prompt.question])), schema)
    if schema is not None and "ranking" in schema.get("properties", {}):
        return _ranked(prompt, embedder, schema)
    quotes = answer(prompt.question, prompt.passages, embedder)
    prose = " ".join(cited(quote) for quote in quotes)
    if schema is None:
        return _with_quotes(quotes, prose) if prompt.wants_quotes else prose or NOT_ANSWERED
    values = _values(quotes, prose)
    return json.dumps(fill(schema, values) if schema else values, ensure_ascii=False)


def cited(quote: Quote) -> str:
    """A quotation as prose, with its passage's number before the stop of each of its sentences."""
    sentences = [sentence.strip() for sentence in split_sentences(without_markdown(quote.text))]
    return " ".join(_marked(sentence, quote.passage) for sentence in sentences if sentence)


def without_markdown(text: str) -> str:
    """One line of prose: no heading, list, emphasis, code, link and table marks, no numbers in brackets."""
    bare = _LINK.sub(r"\1", _LINE_MARKS.sub("", text))
    bare = _CELL_WALL.sub(", ", _EMPHASIS.sub("", _MARKER.sub("", bare)))
    return " ".join(bare.split()).strip(", ")


def _marked(sentence: str, passage: int) -> str:
    stop = sentence[-1] if sentence[-1] in _STOPS else "."
    return f"{sentence.rstrip(_STOPS)} [{passage}]{stop}"


def _with_quotes(quotes: Sequence[Quote], prose: str) -> str:
    """As models write that are told how, and know no schema."""
    if not quotes:
        return f"NO ANSWER: {NOT_ANSWERED}"
    listed = "\n".join(f"[{quote.passage}] {' '.join(quote.text.split())}" for quote in quotes)
    return f"{prose}\n\nQUOTES\n{listed}"


def _values(quotes: Sequence[Quote], prose: str) -> dict[str, Any]:
    return {
        "answerable": bool(quotes),
        "answer": prose,
        "citations": [{"passage": quote.passage, "quote": quote.text} for quote in quotes],
        "reason": "The quoted passages answer the question." if quotes else NOT_ANSWERED,
    }


def _ranked(prompt: Prompt, embedder: Embedder, schema: Schema) -> str:
    places = fitting(prompt.question, [passage.text for passage in prompt.passages], embedder)
    return json.dumps(fill(schema, {"ranking": [prompt.passages[place].number for place in places]}))


def _rewritten(question: str, schema: Schema | None) -> str:
    if schema is None:
        return question
    names = string_properties(schema) or ["question"]
    values = {names[0]: question}
    return json.dumps(fill(schema, values) if schema else values, ensure_ascii=False)
