"""The language of a text, by how often its stop words come; of scripts without spaces, by their letters.

No more is decided by it than a document's stemmer. A question is stemmed in every language, so a document that was
taken for its neighbour's language is still found.
"""

import re
from collections import Counter

from bucketwise.analysis import tokens
from bucketwise.stop_words import STOP_WORDS

MOST_CHARACTERS = 20_000
"""Where a text begins with more than these of figures and marks, its language is not known."""

MOST_WORDS = 400
"""About 2,000 letters."""

LEAST_STOP_WORDS = 3
LEAST_SHARE = 0.12
"""Of all words. Prose has 0.2 (Finnish, Czech) to 0.5 (French) in its own language."""

# Of scripts in which one of these languages is written, and next to no other.
_LETTERS = {
    "el": re.compile("[\u0370-\u03ff]"),
    "hy": re.compile("[\u0530-\u058f]"),
    "ta": re.compile("[\u0b80-\u0bff]"),
    "ja": re.compile("[\u3041-\u30ff]"),
    "ko": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "th": re.compile("[\u0e01-\u0e7f]"),
    "zh": re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
}


def detect(text: str) -> str:
    """ISO 639-1 code; "" for a text that is short, mixed, or in a language without a stemmer of its own or near it."""
    words = [token.casefold() for token in tokens(text[:MOST_CHARACTERS]) if token[0].isalpha()][:MOST_WORDS]
    return _by_letters("".join(words)) or _by_stop_words(words)


def _by_letters(letters: str) -> str:
    counts = {language: len(pattern.findall(letters)) for language, pattern in _LETTERS.items()}
    if 10 * counts["ja"] > counts["zh"]:  # Japanese is written with Han, too
        counts["ja"] += counts.pop("zh")
    language = max(counts, key=counts.__getitem__)
    return language if 2 * counts[language] > len(letters) else ""


def _by_stop_words(words: list[str]) -> str:
    counts = Counter(words)
    found = Counter(
        {language: sum(counts[word] for word in known & counts.keys()) for language, known in STOP_WORDS.items()}
    )
    (language, most), (_, second) = found.most_common(2)
    sure = most >= LEAST_STOP_WORDS and most >= LEAST_SHARE * len(words) and most > second
    return language if sure else ""
