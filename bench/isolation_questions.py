"""Random questions of random tenants, and how many chunks of the tenant's own there are to be found for each."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ask.filters import Filters, MetadataCondition
from bench.isolation_tenants import (
    DIMENSIONS,
    FOLDERS,
    GIANT,
    LANGUAGE,
    TEAMS,
    WORDS,
    OwnDocument,
    Place,
    Tenant,
    canary,
)
from bucketwise.analysis import analyse
from bucketwise.search import SearchQuery

LEGS = ("hybrid", "vector", "keyword")
GIANT_SHARE = 0.02  # of the probes: each takes many times as long as a small tenant's
FORCED_SHARE = 0.02  # that the vector index and the posting lists are to answer, however few chunks there are
NO_FILTER_SHARE = 0.4
HELD_KEYS = ("folder0/00000.txt", "failed/0.bin", f"own/{canary(GIANT)}/00001.txt", None)

Passes = Callable[[OwnDocument], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """``passes`` is what the filters mean. There are ``rows`` to be found."""

    tenant: Tenant
    leg: str
    filter_name: str
    query: SearchQuery
    passes: Passes
    rows: int


@dataclass(frozen=True)
class Questions:
    tenants: Sequence[Tenant]

    def draw(self, chance: random.Random) -> Question:
        tenant = self.tenants[0] if chance.random() < GIANT_SHARE else chance.choice(self.tenants[1:])
        leg = chance.choice(LEGS)
        filter_name = "none" if chance.random() < NO_FILTER_SHARE else chance.choice(self._filter_names)
        filters, passes = self._filters[filter_name]
        limit = chance.choice((1, 3, 10, 50))
        query = SearchQuery(
            tenant.name,
            "" if leg == "vector" else self._words(chance),
            None if leg == "keyword" else self._vector(chance),
            filters,
            limit=limit,
            depth=max(limit, chance.choice((10, 50, 100))),
            keyword_weight=chance.choice((0.0, 0.3, 0.6, 1.0)),
            held_key=chance.choice(HELD_KEYS),
            exact_below=chance.choice((0, 3)) if chance.random() < FORCED_SHARE or tenant.name == GIANT else None,
        )
        wanted = self._passing[tenant.name, filter_name]
        if query.vector is None:
            wanted = wanted & _with_words(tenant, query.text)
        return Question(tenant, leg, filter_name, query, passes, min(limit, len(wanted)))

    def _words(self, chance: random.Random) -> str:
        """Some of them are what only one tenant has, this one or another."""
        words = chance.choices(WORDS, k=chance.randint(0, 4))
        return " ".join([*words, *(tenant.canary for tenant in self.tenants if chance.random() < 0.1)])

    def _vector(self, chance: random.Random) -> list[float]:
        """Half of them are vectors of some tenant's texts."""
        places = self._places[chance.randrange(len(self._places))]
        if places and chance.random() < 0.5:
            tenant, place = chance.choice(places)
            vector: list[float] = tenant.chunks[place].vector.tolist()
            return vector
        return [chance.gauss(0, 1) for _ in range(DIMENSIONS)]

    @cached_property
    def _places(self) -> list[list[tuple[Tenant, Place]]]:
        return [[(tenant, place) for place in tenant.chunks] for tenant in self.tenants]

    @cached_property
    def _passing(self) -> dict[tuple[str, str], frozenset[Place]]:
        """The chunks of each tenant that each filter leaves."""
        return {
            (tenant.name, name): frozenset(place for place in tenant.chunks if passes(tenant.documents[place[0]]))
            for tenant in self.tenants
            for name, (_, passes) in self._filters.items()
        }

    @cached_property
    def _filter_names(self) -> list[str]:
        return list(self._filters)

    @cached_property
    def _filters(self) -> dict[str, tuple[dict[str, Any], Passes]]:
        """By name, filters as the index takes them and what they mean. Some name what another tenant has."""
        made: dict[str, tuple[Filters, Passes]] = {"none": (Filters(), lambda _: True)}
        for number in range(FOLDERS):
            key = f"folder{number}/{number:05}.txt"
            made[f"prefix {number}"] = (Filters(prefix=f"folder{number}/"), _begins(f"folder{number}/"))
            made[f"key {number}"] = (Filters(key=key), _begins(key))
        for team in TEAMS:
            made[f"team {team}"] = (Filters(metadata={"team": team}), _has("team", team))
        for tenant in self.tenants:
            own = f"own/{tenant.canary}"
            owner = {"metadata": {"owner": {"contains": tenant.canary}}}
            made |= {
                f"prefix of {tenant.name}": (Filters(prefix=own), _begins(f"{own}/")),
                f"key of {tenant.name}": (Filters(key=f"{own}/00001.txt"), _begins(f"{own}/00001.txt")),
                f"owner {tenant.name}": (Filters(metadata={"owner": tenant.canary}), _has("owner", tenant.canary)),
                f"not of {tenant.name}": (Filters.model_validate({"not": owner}), _has_not("owner", tenant.canary)),
            }
        exists = Filters(metadata={"owner": MetadataCondition(exists=False)})
        made["without owner"] = (exists, lambda _: False)
        return {name: (filters.for_index(), passes) for name, (filters, passes) in made.items()}


def _begins(start: str) -> Passes:
    return lambda document: document.key.startswith(start)


def _has(entry: str, value: str) -> Passes:
    return lambda document: document.metadata[entry] == value


def _has_not(entry: str, value: str) -> Passes:
    return lambda document: document.metadata[entry] != value


def _with_words(tenant: Tenant, question: str) -> set[Place]:
    found: set[Place] = set()
    for term in analyse(question, LANGUAGE).counts:
        found |= tenant.by_term.get(term, set())
    return found
