"""Which of the passages that were found are relevant: by what they say, and by the document that they are of."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log1p
from unicodedata import normalize

from bucketwise.analysis import is_unspaced, tokens
from bucketwise.search import Passage
from bucketwise.stop_words import STOP_WORDS

FEWEST_PASSAGES = 2
"""Of a document that others are compared with: where each is one passage, an answer may well be in several."""

FEWEST_WORDS = 3
"""That another document must lack: one or two words of a question stand in one document alone by mere chance."""


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

    A document stays also if it lacks less than FEWEST_WORDS of those words. All stay if the best-fitting document was
    found by less than FEWEST_PASSAGES, or if the search disagrees, whose first passage would go.
    """
    if not share or len({each.key for each in passages}) < 2:
        return list(passages)
    documents = _documents(question, passages)
    best = max(documents.values(), key=lambda document: document.fit)
    fitting = [
        each
        for each in passages
        if documents[each.key].fit >= share * best.fit or len(best.fitting - documents[each.key].words) < FEWEST_WORDS
    ]
    return fitting if best.passages >= FEWEST_PASSAGES and fitting[0] is passages[0] else list(passages)


def _documents(question: str, passages: Sequence[Passage]) -> dict[str, _Document]:
    words = _words(question)
    held = defaultdict[str, list[frozenset[str]]](list)
    for each in passages:
        held[each.key].append(_held(words, each))
    having = Counter(word for of_passages in held.values() for word in frozenset().union(*of_passages))
    # Inverse document frequency as BM25 has it, over the documents at hand.
    weights = {word: log1p((len(held) - count + 0.5) / (count + 0.5)) for word, count in having.items()}

    def fit(has: frozenset[str]) -> float:
        return sum(weights[word] for word in has)

    return {
        key: _Document(
            passages=len(of_passages),
            words=frozenset().union(*of_passages),
            fitting=max(of_passages, key=fit),
            fit=max(map(fit, of_passages)),
        )
        for key, of_passages in held.items()
    }


def _words(question: str) -> list[str]:
    """Without case and stop words; of scripts that put no spaces between words, the pairs of characters."""
    found: list[str] = []
    for token in tokens(question):
        pairs = [first + second for first, second in pairwise(token)] if is_unspaced(token) else []
        found += pairs or [token.casefold()]
    return [word for word in dict.fromkeys(found) if word not in _stop_words()]


@cache
def _stop_words() -> frozenset[str]:
    """Of all languages: a name that is one of another language is seldom a question's only one."""
    return frozenset().union(*STOP_WORDS.values())


def _held(words: Sequence[str], passage: Passage) -> frozenset[str]:
    """Those that stand in the passage, its headings or its document's title or key, if only as a part of a word.

    A short word is a part of many, and so tells few documents apart. To cut the passages into words, as the index does,
    takes five times as long.
    """
    headings = (heading for mark in passage.marks for heading in mark.place.heading)
    text = "\n".join((passage.title or "", passage.key, *headings, passage.text))
    text = (text if text.isascii() else normalize("NFKC", text)).casefold()
    return frozenset(word for word in words if word in text)
