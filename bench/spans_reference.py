"""What a plain search of contracts finds: bm25s over pieces of their texts, each with the file's name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Self

from bm25s import BM25

from bucketwise.analysis import analyse
from bucketwise.search import K1, B

PIECE_CHARACTERS = 1500
LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Reference:
    """``pieces`` are name and text of each piece, in the order in which ``ranking`` was given them."""

    ranking: Any
    pieces: list[tuple[str, str]]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Self:
        """``texts`` by the name of their file."""
        pieces = [(name, piece) for name, text in texts.items() for piece in pieces_of(text)]
        ranking = BM25(method="lucene", k1=K1, b=B)
        ranking.index([_words(f"{PurePath(name).stem}\n{piece}") for name, piece in pieces], show_progress=False)
        return cls(ranking, pieces)

    def search(self, question: str, *, limit: int) -> list[tuple[str, str]]:
        """The best pieces, best first."""
        known = sorted(set(_words(question)) & self.ranking.vocab_dict.keys())
        if not known:
            return []
        scores = self.ranking.get_scores(known).tolist()
        best = sorted((-score, place) for place, score in enumerate(scores) if score > 0)[:limit]
        return [self.pieces[place] for _, place in best]


def pieces_of(text: str) -> Iterator[str]:
    """As long as may be, cut at white space where there is any."""
    start = 0
    while start < len(text):
        end = min(start + PIECE_CHARACTERS, len(text))
        if end < len(text):
            end = max(text.rfind(" ", start, end), text.rfind("\n", start, end)) + 1 or end
        yield text[start:end]
        start = end


def _words(text: str) -> list[str]:
    return [str(term) for term, count in analyse(text, LANGUAGE).counts.items() for _ in range(count)]
