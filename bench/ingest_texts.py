"""Texts that are like prose to an index: words by Zipf's law, sentences, paragraphs; the same at every run."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, islice, product

from local import ROOT

VOCABULARY = 20_000
CONSONANTS, VOWELS = "bdfgklmnprstv", "aeiou"
SYLLABLES = ["".join(parts) for parts in product(CONSONANTS, VOWELS, ("", "n", "r", "s"))]


def texts(*, count: int, characters: int, seed: int) -> Iterator[str]:
    """So many texts of paragraphs, each a little longer than ``characters``; no two have a sentence in common."""
    numbers = random.Random(seed)  # the same at every run
    words = _sentences(numbers)
    for _ in range(count):
        paragraphs: list[str] = []
        length = 0
        while length < characters:
            paragraphs.append(" ".join(islice(words, numbers.randint(3, 9))))
            length += len(paragraphs[-1]) + 2
        yield "\n\n".join(paragraphs)


def _sentences(numbers: random.Random) -> Iterator[str]:
    words = _vocabulary(numbers)
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    while True:
        sentence = numbers.choices(words, cum_weights=weights, k=numbers.randint(8, 24))
        sentence.insert(numbers.randrange(len(sentence)), str(numbers.randrange(1_000_000)))
        yield f"{' '.join(sentence).capitalize()}."


def _vocabulary(numbers: random.Random) -> list[str]:
    """By rank: the words of the example documents, which are English, and then made-up ones, as names are."""
    pages = (ROOT / "examples" / "documents").rglob("*.md")
    counted = Counter(word for page in sorted(pages) for word in re.findall(r"[a-z]+", page.read_text("utf-8").lower()))
    common = [word for word, _ in counted.most_common()]
    made_up = {"".join(numbers.choices(SYLLABLES, k=numbers.randint(2, 3))) for _ in range(2 * VOCABULARY)}
    return [*common, *sorted(made_up - set(common), key=len)][:VOCABULARY]
