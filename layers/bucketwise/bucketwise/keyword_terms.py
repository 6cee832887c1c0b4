"""Terms as the index keeps them, and as a question asks for them."""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from bucketwise.analysis import NEUTRAL, STEMMERS, Terms, numbers, tokens
from bucketwise.stop_words import STOP_WORDS

ANY = "*"
MOST_COUNTED = 255
"""A term that stands in a chunk more often is counted so often."""


class QuestionTerm(NamedTuple):
    """One of the terms that the ``word``-th word of a question may be met with, in documents of ``language``.

    ANY is that of terms which are no stems, and are the same in documents of every language.
    """

    word: int
    language: str
    term: int


def question_terms(question: str, languages: Collection[str] = STEMMERS.keys()) -> list[QuestionTerm]:
    """The question's terms in every language that a document may have, NEUTRAL among them.

    If ``languages`` are all that documents do have, it makes no difference but a tenth of the work.
    """
    stemmed = tuple(language for language in STEMMERS if language in languages)
    return [
        QuestionTerm(word, language, term)
        for word, token in enumerate(dict.fromkeys(tokens(question)))
        for language, term in _terms_by_language(token, stemmed)
    ]


def packed(terms: Terms, language: str) -> list[int]:
    """As the column ``chunks.terms`` holds them, with the language's own: term * 256 + count, ascending."""
    held = [term << 8 | min(count, MOST_COUNTED) for term, count in terms.counts.items()]
    if language in STOP_WORDS:
        held.append(language_term(language) << 8 | 1)
    return sorted(held)


def language_term(language: str) -> int:
    """What each chunk in a language (ISO 639-1) has, so that they can be counted: bucketwise.language_term in SQL.

    In all of them stand the language's stop words, of which no chunk has terms.
    """
    return int.from_bytes(language.encode())


@lru_cache(maxsize=8192)
def _terms_by_language(token: str, languages: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    plain = numbers(token, NEUTRAL)
    english = numbers(token, "en")  # any language would do: no two have a stem in common
    found = [(ANY, term) for term in plain if term in english]
    for language in (NEUTRAL, *languages):
        found += [(language, term) for term in numbers(token, language) if (ANY, term) not in found]
    return tuple(dict.fromkeys(found))
