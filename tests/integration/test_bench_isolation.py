"""The isolation benchmark finds nothing wrong with the product, and finds what is wrong without a tenant predicate."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bench.isolation import corpus_versions
from bench.isolation_probes import Findings, Prober
from bench.isolation_tenants import DIMENSIONS, GIANT, Tenant, canary, fill, make_tenants
from bucketwise.database import connect
from bucketwise.deadline import Deadline
from bucketwise.migrations import migrate
from local import ROOT
from local.postgres import Postgres
from tests.integration.index_database import MODEL, IndexDatabase, connected, empty_database, settings_for

PROBES = 400


def test_it_finds_nothing_wrong() -> None:
    command = [sys.executable, "-m", "bench.isolation", "--probes", "450", "--giant-documents", "45", "--seed", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, found
    assert (found["probes"], found["leaks"], found["wrong_counts"]) == (450, 0, 0)
    assert found["tenants"] == {"giant": 225, "middle": 200, "small": 40, "tiny": 10, "single": 5, "empty": 0}
    # Each of these would be 0 if the benchmark did not do what it says.
    assert min(found[name] for name in ("rows", "listings")) > 0
    kinds = (*found["tenants"], "hybrid", "vector", "keyword", "filtered", "index")
    assert min(found["kinds"][kind] for kind in kinds) > 0


@dataclass(frozen=True, slots=True)
class Filled:
    database: IndexDatabase
    tenants: list[Tenant]

    def probe(self) -> Findings:
        versions = corpus_versions(self.database.owner, self.tenants)
        with connect(settings_for(self.database.ask, dimensions=DIMENSIONS), Deadline.after(10)) as connection:
            return Prober(self.tenants, versions, connection).run(PROBES, seed="1")

    @contextmanager
    def without(self, function: str, predicate: str) -> Iterator[None]:
        """The function without a predicate, wherever it has it."""
        with connected(self.database.superuser) as superuser:
            [definition] = superuser.execute(
                "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (function,)
            ).fetchone() or [""]
            changed = definition.replace(predicate, "true")
            assert changed != definition
            superuser.execute(changed.encode())
            yield
            superuser.execute(definition.encode())


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[Filled]:
    with empty_database(postgres) as database:
        with connected(database.owner) as owner:
            migrate(owner, embedding_model=MODEL, dimensions=DIMENSIONS)
        tenants = make_tenants(20)
        fill(settings_for(database.ingest, dimensions=DIMENSIONS), tenants)
        yield Filled(database, tenants)


def test_tenants_have_keys_and_texts_in_common_and_a_word_of_their_own() -> None:
    giant, middle, *_ = make_tenants(20)
    assert giant.documents.keys() & middle.documents.keys()
    texts = [{chunk.text for chunk in tenant.chunks.values()} for tenant in (giant, middle)]
    assert texts[0] & texts[1]
    assert any(canary(GIANT) in text for text in texts[0])
    assert not any(canary(GIANT) in text for text in texts[1])


def test_probes_of_a_sound_index_find_nothing_wrong(filled: Filled) -> None:
    found = filled.probe()
    assert (found.probes, found.leaks, found.wrong_counts, found.examples) == (PROBES, 0, 0, [])


@pytest.mark.parametrize(
    ("function", "predicate"),
    [
        ("search_relevant", "h.tenant = for_tenant"),
        ("nearest_among", "e.tenant = for_tenant"),
        ("matching_documents", "d.tenant = for_tenant"),
        ("documents_page", "d.tenant = for_tenant"),
        ("neighbours", "h.tenant = for_tenant"),
        ("held_version", "(d.tenant = held_version.for_tenant)"),
    ],
)
def test_a_missing_predicate_is_found(filled: Filled, function: str, predicate: str) -> None:
    with filled.without(function, predicate):
        found = filled.probe()
    assert found.leaks > 0
    assert found.examples
