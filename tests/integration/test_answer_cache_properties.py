"""Whatever two tenants do, in whatever order: the cache tells nothing stale, and nothing that is another's.

``--hypothesis-profile thorough`` looks for longer.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.integration.cached_tenant import CachedTenant, cached_tenant
from tests.integration.index_database import IndexDatabase

QUICK = hypothesis.settings(
    max_examples=20, stateful_step_count=50, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)

# Both tenants use the same keys, versions, fingerprints and numbers of changes; what they say is different.
KEYS = st.sampled_from(["a.txt", "b.txt"])
VERSIONS = st.sampled_from(["v1", None])
FINGERPRINTS = st.sampled_from(["f", "g"])
TENANTS = st.integers(0, 1)

Sources = dict[str, tuple[str | None, str]]


@dataclass
class Found:
    """An answer, and what it was made of: by key the version and the text. ``said`` is what is kept."""

    corpus_version: int
    sources: Sources
    said: dict[str, Any]


@dataclass
class Expected:
    """What a tenant's index holds, what was found in it and not kept yet, and what the cache holds of it."""

    documents: Sources = field(default_factory=dict)
    changes: int = 0
    under_way: list[tuple[str, Found]] = field(default_factory=list)
    kept: dict[str, Found] = field(default_factory=dict)

    def change(self, key: str, *, removes: bool = True) -> None:
        self.changes += 1
        if removes:
            self.kept = {mark: found for mark, found in self.kept.items() if key not in found.sources}

    def answer(self, fingerprint: str) -> dict[str, Any] | None:
        found = self.kept.get(fingerprint)
        return found.said if found is not None and found.corpus_version == self.changes else None


class Caching(RuleBasedStateMachine):
    """An example has tenants of its own, on the connections of ``first``."""

    def __init__(self, first: CachedTenant) -> None:
        super().__init__()
        self.tenants = [first.another(), first.another()]
        self.expected = [Expected(), Expected()]
        self.numbers = count()

    @rule(of=TENANTS, key=KEYS, version=VERSIONS)
    def store(self, of: int, key: str, version: str | None) -> None:
        text = f"{of} says {next(self.numbers)}"
        assert self.tenants[of].tenant.store(text, key=key, version=version)
        self.expected[of].change(key)
        self.expected[of].documents[key] = version, text

    @rule(of=TENANTS, key=KEYS, fails=st.booleans())
    def remove(self, of: int, key: str, fails: bool) -> None:
        tenant, expected = self.tenants[of].tenant, self.expected[of]
        assert tenant.fail(key) if fails else tenant.bury(key)
        if expected.documents.pop(key, None):
            expected.change(key)

    @rule(of=TENANTS, key=KEYS)
    def describe(self, of: int, key: str) -> None:
        version, _ = self.expected[of].documents.get(key, (None, ""))
        if self.tenants[of].describe(key, version, f"sidecar {next(self.numbers)}"):
            assert version is not None
            self.expected[of].change(key, removes=False)

    @rule(of=TENANTS, fingerprint=FINGERPRINTS, keys=st.sets(KEYS), number=st.integers(0, 9))
    def find(self, of: int, fingerprint: str, keys: set[str], number: int) -> None:
        """An answer is found, and will be kept later, or not at all."""
        documents = self.expected[of].documents
        sources = {key: documents[key] for key in keys if key in documents}
        said = {"number": number, "texts": [text for _, text in sources.values()]}
        self.expected[of].under_way.append((fingerprint, Found(self.expected[of].changes, sources, said)))

    @rule(of=TENANTS, fingerprint=FINGERPRINTS, keys=st.sets(KEYS, min_size=1), number=st.integers(0, 9))
    def find_and_keep(self, of: int, fingerprint: str, keys: set[str], number: int) -> None:
        self.find(of, fingerprint, keys, number)
        self.keep(of, last=True)

    @rule(of=TENANTS, last=st.booleans())
    def keep(self, of: int, last: bool) -> None:
        expected = self.expected[of]
        if not expected.under_way:
            return
        fingerprint, found = expected.under_way.pop(-1 if last else 0)
        sources = [(key, version) for key, (version, _) in found.sources.items()]
        self.tenants[of].keep(*sources, fingerprint=fingerprint, answer=found.said, found_in=found.corpus_version)
        if found.corpus_version == expected.changes:
            expected.kept[fingerprint] = found

    @invariant()
    def what_is_found_is_what_was_kept_of_what_stands(self) -> None:
        for tenant, expected in zip(self.tenants, self.expected, strict=True):
            for fingerprint in ("f", "g"):
                entry = tenant.look_up(fingerprint)
                assert (entry.answer, entry.corpus_version) == (expected.answer(fingerprint), expected.changes)

    @invariant()
    def no_word_of_an_earlier_version_is_stored(self) -> None:
        for tenant, expected in zip(self.tenants, self.expected, strict=True):
            standing = {text for _, text in expected.documents.values()}
            assert {text for row in tenant.rows for text in row["texts"]} <= standing


def test_the_cache_tells_nothing_stale_and_nothing_of_another_tenants(shared_index: IndexDatabase) -> None:
    thorough = hypothesis.settings.get_current_profile_name() == "thorough"
    chosen = hypothesis.settings.get_profile("thorough") if thorough else QUICK
    with cached_tenant(shared_index) as first:

        class CachingHere(Caching):
            def __init__(self) -> None:
                super().__init__(first)

        run_state_machine_as_test(CachingHere, settings=chosen)
