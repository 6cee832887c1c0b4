"""Every hostile file through the sandbox as it is deployed: it ends in a state, and the next document is read."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.composition import parser_memory
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from tests.hostile.case import INDEXED, PARTIAL
from tests.hostile.make import FAMILIES, hostile_files
from tests.hostile.make import main as write_all

# Of production but for the waiting. A file that takes longer loses its process, which only few may.
LIMITS = SandboxLimits(stall_seconds=10.0, cpu_seconds=30, memory_bytes=parser_memory())
ROOT = Path(__file__).parents[2]
ORDINARY = "The ferry leaves at noon."


@pytest.fixture(scope="module")
def losses() -> list[Loss]:
    return []


@pytest.fixture(scope="module")
def sandbox(losses: list[Loss]) -> Iterator[Sandbox]:
    with closing(Sandbox(LIMITS, losses.append)) as box:
        yield box


def state_of(sandbox: Sandbox, path: Path, name: str) -> str:
    try:
        with sandbox.parse(path, key=name, content_type=None) as document:
            for _ in document.blocks:
                pass
    except UnreadableDocument as problem:
        return problem.reason.value
    return PARTIAL if document.skipped else INDEXED


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hostile_file_ends_in_its_state_and_the_next_document_is_read(
    sandbox: Sandbox, losses: list[Loss], tmp_path: Path, family: str
) -> None:
    file, ordinary = tmp_path / "hostile", tmp_path / "ordinary"
    ordinary.write_text(ORDINARY, encoding="ascii")
    wrong: dict[str, str] = {}
    for given in FAMILIES[family]():
        losses.clear()
        file.write_bytes(given.content)
        state = state_of(sandbox, file, given.name)
        if state not in given.states or (losses and not given.may_lose):
            wrong[given.name] = f"{state} {losses}"
        with sandbox.parse(ordinary, key="ordinary.txt", content_type=None) as document:
            assert [block.text for block in document.blocks] == [ORDINARY], given.name
    assert wrong == {}


def test_a_file_has_a_name_of_its_own_and_states_that_there_are(tmp_path: Path) -> None:
    write_all(tmp_path)
    states = [(file.name, file.states) for file in hostile_files()]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(name for name, _ in states)
    known = {INDEXED, PARTIAL, *FailureReason}
    assert all(each and each <= known for _, each in states)


def test_the_command_writes_the_files_and_names_the_states_of_each(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile.make", str(tmp_path)]
    done = subprocess.run(command, env={}, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["\t".join((file.name, *sorted(file.states))) for file in hostile_files()]
    assert {path.name for path in tmp_path.iterdir()} == {file.name for file in hostile_files()}
