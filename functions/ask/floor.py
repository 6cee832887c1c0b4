"""Which of the passages that were found are relevant: by what they say, and by the document that they are of."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import fsum, log1p
from unicodedata import normalize

from bucketwise.analysis import is_unspaced, tokens
from bucketwise.search import Passage
from bucketwise.stop_words import STOP_WORDS

FEWEST_PASSAGES = 2
"""Of a document that others are compared with: where each is one passage, an answer may well be in several."""

FEWEST_WORDS = 3
"""That another document must lack: one or two words of a question stand in one document alone by mere chance."""

MOST_NAMED = 2
"""Documents that a name is of: one that more have tells of none of them."""

MOST_WORDS = 200
"""Of a question: one with more names nothing, and to look for them all in all passages would take too long."""


@dataclass(frozen=True, slots=True)
class RelevanceFloor:
    """Two absolute values, as normalised scores always have a best one, however bad it is; and one for documents.

    ``min_fit`` is a share of how well the best-fitting document fits, so it leaves something wherever something is.
    """

    min_cosine: float
    min_coverage: float
    min_fit: float = 0.0

    def relevant(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Of passages, best first, those that pass and are of documents that fit."""
        return of_fitting_documents(question, [each for each in passages if self.passes(each)], self.min_fit)

    def passes(self, passage: Passage) -> bool:
        """A passage is relevant if it is close in meaning or holds enough of the question's words."""
        close = passage.cosine is not None and passage.cosine >= self.min_cosine
        return close or passage.coverage >= self.min_coverage


@dataclass(frozen=True, slots=True)
class _Document:
    """How many passages of it were found, which of a question's words those have, and the best of them by itself."""

    passages: int
    words: frozenset[str]
    fitting: frozenset[str]
    fit: float


def of_fitting_documents(question: str, passages: Sequence[Passage], share: float) -> list[Passage]:
    """Of passages, best first, those of documents that fit ``share`` (0..1) as well as the best-fitting one, or better.

    What a question names - a contract, a product, a quarter - stands in few documents, and what it asks of that in
    many. So a document fits as well as the passage of it that has most of the question's words, each counted by how few
    of the documents have it. In that, a document which was found by many passages has no advantage.

    A document stays also if it lacks less than FEWEST_WORDS of those words, or has a name which the best-fitting one
    lacks: where two are compared, each has one. All stay if the best-fitting document was found by less than
    FEWEST_PASSAGES, or if the search disagrees, whose first passage would go.

    Words are compared as they are written: in another inflection, or repeated by a document that only asks the same,
    they mislead it. So this is for collections of documents of a kind, and off unless it is asked for.
    """
    names = _words(question)
    if not share or len(names) > MOST_WORDS or len({each.key for each in passages}) < 2:
        return list(passages)
    documents, having = _documents(names, passages)
    best = max(documents.values(), key=lambda document: document.fit)

    def stays(document: _Document) -> bool:
        return (
            document.fit >= share * best.fit
            or len(best.fitting - document.words) < FEWEST_WORDS
            or any(names[word] and having[word] <= MOST_NAMED for word in document.words - best.words)
        )

    fitting = [each for each in passages if stays(documents[each.key])]
    return fitting if best.passages >= FEWEST_PASSAGES and fitting[0] is passages[0] else list(passages)


def _documents(words: Iterable[str], passages: Sequence[Passage]) -> tuple[dict[str, _Document], Counter[str]]:
    """By key; and how many of them have each word."""
    held = defaultdict[str, list[frozenset[str]]](list)
    for each in passages:
        held[each.key].append(_held(words, each))
    having = Counter(word for of_passages in held.values() for word in frozenset().union(*of_passages))
    # Inverse document frequency as BM25 has it, over the documents at hand.
    weights = {word: log1p((len(held) - count + 0.5) / (count + 0.5)) for word, count in having.items()}

    def fit(has: frozenset[str]) -> float:
        return fsum(weights[word] for word in has)  # whatever their order, which differs from process to process

    documents = {
        key: _Document(
            passages=len(of_passages),
            words=frozenset().union(*of_passages),
            fitting=max(of_passages, key=fit),
            fit=max(map(fit, of_passages)),
        )
        for key, of_passages in held.items()
    }
    return documents, having


def _words(question: str) -> dict[str, bool]:
    """Without case and stop words, each with whether it is written as a name: with a capital or a digit, not at first.

    Of scripts that put no spaces between words, the pairs of characters.
    """
    found: dict[str, bool] = {}
    for place, token in enumerate(tokens(question)):
        pairs = [first + second for first, second in pairwise(token)] if is_unspaced(token) else []
        name = place > 0 and any(character.isupper() or character.isdigit() for character in token)
        for word in pairs or [token.casefold()]:
            found[word] = found.get(word, False) or name
    return {word: name for word, name in found.items() if word not in _stop_words()}


@cache
def _stop_words() -> frozenset[str]:
    """Of all languages: a name that is one of another language is seldom a question's only one."""
    return frozenset().union(*STOP_WORDS.values())


def _held(words: Iterable[str], passage: Passage) -> frozenset[str]:
    """Those that stand in the passage, its headings or its document's title or key, if only as a part of a word.

    A short word is a part of many, and so tells few documents apart. To cut the passages into words, as the index does,
    takes five times as long.
    """
    headings = (heading for mark in passage.marks for heading in mark.place.heading)
    text = "\n".join((passage.title or "", passage.key, *headings, passage.text))
    text = (text if text.isascii() else normalize("NFKC", text)).casefold()
    return frozenset(word for word in words if word in text)
