"""Folders of one bucket are tenants: each asks its own documents, and changes of the setting move them."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from tests.e2e.conftest import System
from tests.e2e.folders import Folders, folders

SAME = "The harbour gate closes at nine in the evening."
QUESTION = "When does the harbour gate close?"
ON, OFF = {"TENANT_FOLDERS": "true"}, {"TENANT_FOLDERS": "false"}


@pytest.fixture
def place(system: System) -> Iterator[Folders]:
    with folders(system.twin, f"home{uuid4().hex[:8]}") as place:
        place.deploy(**ON)
        yield place


def vectors(place: Folders, tenant: str) -> int:
    url = place.twin.index.ingest
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM bucketwise.embeddings WHERE tenant = %s", (tenant,)).fetchone()
    return int(row[0]) if row else 0


def names(place: Folders) -> tuple[str, str]:
    """Of folders that no other test has: the index is everybody's."""
    return f"acme {place.home}", f"bölt+{place.home}"


def test_two_folders_are_two_tenants_with_everything_of_their_own(place: Folders) -> None:
    acme, bolt = names(place)
    for folder in (acme, bolt):
        place.put(f"{folder}/gates.txt", SAME)
        place.put(f"{folder}/code.txt", f"The code of the vault is {folder}.")
    place.put("loose.txt", "The ferry of the harbour leaves on Sundays.")
    place.put("//nobody.txt", SAME)
    place.settle()
    assert place.documents(acme) == {f"{acme}/code.txt": "indexed", f"{acme}/gates.txt": "indexed"}
    assert place.documents(place.home) == {"loose.txt": "indexed", "//nobody.txt": "bad_folder"}
    assert (vectors(place, acme), vectors(place, bolt), vectors(place, place.home)) == (2, 2, 1)
    for folder, other in ((acme, bolt), (bolt, acme)):
        answer = place.answer(folder, "What is the code of the vault?")
        assert answer is not None
        assert folder in answer
        assert other not in answer
        assert "nine" in (place.answer(folder, QUESTION) or "")
    assert place.answer(place.home, QUESTION) is None
    place.delete(f"{acme}/gates.txt")
    place.settle()
    assert place.answer(acme, QUESTION) is None
    assert "nine" in (place.answer(bolt, QUESTION) or "")
    place.reconcile()
    assert (vectors(place, acme), vectors(place, bolt)) == (1, 2)


def test_a_comparison_repairs_every_tenant_and_a_folder_that_vanished(place: Folders) -> None:
    acme, bolt = names(place)
    place.put(f"{acme}/gates.txt", SAME)
    place.put(f"{acme}/more.txt", "The harbour has a lighthouse.")
    place.put(f"{bolt}/gates.txt", SAME)
    place.settle()
    with place.events_lost():
        place.delete(f"{acme}/gates.txt")
        place.delete(f"{acme}/more.txt")
        place.put(f"{bolt}/gates.txt", SAME.replace("nine", "ten"))
    assert "nine" in (place.answer(acme, QUESTION) or "")
    report = place.reconcile()
    assert (report["finished"], report["sent"]) == (True, 3)
    assert place.documents(acme) == {}
    assert place.answer(acme, QUESTION) is None
    assert "ten" in (place.answer(bolt, QUESTION) or "")
    assert place.reconcile()["differences"] == 0
    assert vectors(place, acme) == 0


def test_switched_on_and_off_every_document_is_where_the_setting_says(place: Folders) -> None:
    acme, bolt = names(place)
    whose = {f"{acme}/gates.txt": acme, f"{bolt}/ferry.txt": bolt, "loose.txt": place.home}
    place.deploy(**OFF)
    for key in whose:
        place.put(key, SAME if "gates" in key else f"This is {key}.")
    place.settle()
    for settings in (OFF, ON, OFF):
        place.deploy(**settings)
        place.reconcile()
        for tenant in (acme, bolt, place.home):
            wanted = {key for key, owner in whose.items() if (owner if settings is ON else place.home) == tenant}
            assert place.documents(tenant).keys() == wanted, (tenant, settings)
            answer = place.answer(tenant, QUESTION)
            assert ("nine" in (answer or "")) == (f"{acme}/gates.txt" in wanted), (tenant, settings)
        assert place.reconcile()["differences"] == 0
        assert (vectors(place, acme), vectors(place, place.home)) == ((1, 1) if settings is ON else (0, 3))


def test_a_kept_answer_does_not_outlive_the_move_of_its_document(place: Folders) -> None:
    acme, _ = names(place)
    place.deploy(**OFF)
    place.put(f"{acme}/gates.txt", SAME)
    place.settle()
    for _ in range(2):
        kept = place.api(place.home).post("/ask", {"question": QUESTION}).body
    assert kept["cache"] == "hit"
    place.deploy(**ON)
    place.reconcile()
    assert place.api(place.home).post("/ask", {"question": QUESTION}).body["answered"] is False
