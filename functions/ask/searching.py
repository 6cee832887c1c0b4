"""The index, as it is searched."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.search import KeywordLeg, SearchQuery, SearchResult, keyword_leg, search


class Searcher(Protocol):
    def ahead(self, query: SearchQuery, *, deadline: Deadline) -> KeywordLeg: ...
    def search(self, query: SearchQuery, ahead: KeywordLeg | None = None, *, deadline: Deadline) -> SearchResult: ...


@dataclass(frozen=True, slots=True)
class DatabaseSearcher:
    """Remembers in which languages a tenant's documents are: a question need not be analysed in all others."""

    database: Database
    languages: dict[str, frozenset[str]] = field(default_factory=dict)

    def ahead(self, query: SearchQuery, *, deadline: Deadline) -> KeywordLeg:
        """As bucketwise.search.keyword_leg has it."""
        known = replace(query, languages=self.languages.get(query.tenant))
        return self.database.run(lambda connection: keyword_leg(connection, known), deadline=deadline)

    def search(self, query: SearchQuery, ahead: KeywordLeg | None = None, *, deadline: Deadline) -> SearchResult:
        known = replace(query, languages=ahead.query.languages if ahead else self.languages.get(query.tenant))
        result = self.database.run(lambda connection: search(connection, known, ahead), deadline=deadline)
        self.languages[query.tenant] = result.languages
        return result
