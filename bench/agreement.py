"""bm25s (its "lucene" form) over the chunks of an index, to compare the product's keyword leg with.

It is given each chunk's terms as the index holds them, and the question's terms in the language that most of the chunks
are in. Its frequencies are of terms; the product's are of words in all of a tenant's languages.
"""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from bm25s import BM25

from bucketwise.database import Database, connect
from bucketwise.deadline import Deadline
from bucketwise.keyword_terms import ANY, MOST_COUNTED, question_terms
from bucketwise.search import K1, B
from bucketwise.settings import Settings

READ_SECONDS = 600.0
CHUNKS = """
    SELECT c.key, d.language, c.terms FROM bucketwise.chunks c JOIN bucketwise.documents d USING (tenant, key)
    WHERE tenant = %s ORDER BY c.key, c.ordinal"""


@dataclass(frozen=True, slots=True)
class Reference:
    """``keys`` has the document of each chunk, in the order in which ``ranking`` was given them."""

    ranking: Any
    keys: list[str]
    language: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Over all chunks of the tenant."""
        with closing(Database(lambda deadline: connect(settings, deadline))) as database:
            rows = database.run(
                lambda connection: connection.execute(CHUNKS, (settings.tenant,)).fetchall(),
                deadline=Deadline.after(READ_SECONDS),
            )
        ranking = BM25(method="lucene", k1=K1, b=B)
        ranking.index([_unpacked(held) for _, _, held in rows], show_progress=False)
        [(language, _)] = Counter(language for _, language, _ in rows).most_common(1)
        return cls(ranking, [key for key, _, _ in rows], language)

    def search(self, question: str, *, limit: int) -> list[str]:
        """Keys of the documents of the ``limit`` best chunks, best first."""
        asked = {str(one.term) for one in question_terms(question) if one.language in (ANY, self.language)}
        known = sorted(asked & self.ranking.vocab_dict.keys())
        if not known:
            return []
        scores = self.ranking.get_scores(known).tolist()
        best = sorted((-score, place) for place, score in enumerate(scores) if score > 0)[:limit]
        return list(dict.fromkeys(self.keys[place] for _, place in best))


def _unpacked(held: list[int]) -> list[str]:
    """Each term as often as it is counted."""
    return [str(number >> 8) for number in held for _ in range(number & MOST_COUNTED)]
