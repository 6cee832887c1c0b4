"""Many change documents, keep answers of them and clear away at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from ingest.cached_answers import CachedAnswers
from tests.integration.cached_tenant import CachedTenant, cached_tenant
from tests.integration.index_database import IndexDatabase, opened
from tests.unit.ingest_fakes import SOON

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def cached(shared_index: IndexDatabase) -> Iterator[CachedTenant]:
    with cached_tenant(shared_index) as tenant:
        yield tenant


def test_under_load_no_word_of_an_earlier_version_is_left_and_nobody_deadlocks(
    shared_index: IndexDatabase, cached: CachedTenant
) -> None:
    before = shared_index.count(DEADLOCKS)
    keys = [f"{number}.txt" for number in range(4)]
    for key in keys:
        cached.tenant.store(f"{key} 0", key=key)

    def change(seed: int) -> None:
        chance = Random(seed)  # noqa: S311  # a test
        with opened(shared_index.ingest) as database:
            tenant = cached.on(ingest=database).tenant
            for number in range(1, 60):
                key = chance.choice(keys)
                if chance.random() < 0.2:
                    tenant.bury(key)
                else:
                    tenant.store(f"{key} {seed} {number}", key=key)

    def keep(seed: int) -> int:
        chance, found = Random(seed), 0  # noqa: S311  # a test
        with opened(shared_index.ask) as database:
            keeps = cached.on(ask=database)
            for _ in range(200):
                fingerprint, version = str(chance.randrange(3)), cached.tenant.version
                shown = {key: held.texts for key in chance.sample(keys, 3) if (held := keeps.tenant.held(key))}
                sources = [key for key, texts in shown.items() if texts]
                keeps.keep(*sources, fingerprint=fingerprint, answer=shown, found_in=version)
                found += keeps.answer(fingerprint) is not None
        return found

    with ThreadPoolExecutor(6) as pool:
        changes = [pool.submit(change, seed) for seed in range(4)]
        keeps = [pool.submit(keep, seed) for seed in range(2)]
        collects = CachedAnswers(cached.tenant.index.database, cached.name, seconds=3600)
        while not all(one.done() for one in changes):
            collects.collect(deadline=SOON)
        for one in changes:
            one.result()
        assert sum(one.result() for one in keeps) > 0
    standing = {text for key in keys for text in cached.tenant.texts(key)}
    said: set[Any] = {text for row in cached.rows for texts in row.values() for text in texts}
    assert said <= standing, json.dumps(sorted(said - standing))
    assert shared_index.count(DEADLOCKS) == before
