"""The benchmark of starting a function, on programs that are quick to start; and what ask does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import coldstart
from bench.coldstart import NOTHING, OURS, VARIABLES, cpu_seconds, milliseconds
from local import CODE

PYTHON = Path(sys.executable)
WORK = "for _ in range(3_000_000): pass"


def test_the_time_of_work_is_measured_beside_that_of_nothing(tmp_path: Path) -> None:
    programs = {NOTHING: (PYTHON, "pass"), "bare": (PYTHON, WORK), "ask": (PYTHON, WORK + "\n" + WORK)}
    measured = milliseconds(programs, 3, tmp_path)
    assert measured.keys() == {"bare", "ask", "ask_to_bare"}
    assert 1 < measured["ask_to_bare"] < 4


def test_ratios_are_of_what_is_beyond_an_interpreter_that_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"pass": iter([0.5, 0.5, 0.5]), "bare": iter([2.5, 1.5, 1.5]), "ask": iter([4.5, 2.5, 4.5])}
    monkeypatch.setattr(coldstart, "cpu_seconds", lambda _python, program, _bytecode: next(taken[program]))
    programs = {NOTHING: (PYTHON, "pass"), "bare": (PYTHON, "bare"), "ask": (PYTHON, "ask")}
    # Of the rounds the medians: 1 s and 4 s; and of the ratios 2, 2 and 4 their own.
    assert milliseconds(programs, 3, None) == {"bare": 1000.0, "ask": 4000.0, "ask_to_bare": 2.0}


def test_bytecode_is_kept_only_where_it_is_asked_for(tmp_path: Path) -> None:
    cpu_seconds(PYTHON, "import bench.coldstart", tmp_path)
    assert list(tmp_path.rglob("*.pyc"))


def test_a_program_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cpu_seconds(PYTHON, "import nothing_of_this_name", tmp_path)


def test_ask_imports_nothing_that_it_does_not_use() -> None:
    shown = "\nimport sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", OURS["ask"] + shown],
        env=VARIABLES | {"PYTHONPATH": ":".join(map(str, CODE))},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert {"ask", "bucketwise", "openai"} <= imported
    assert not imported & {
        "ingest",
        "migrate",
        "boto3",
        "numpy",
        "lxml",
        "pypdfium2",
        "charset_normalizer",
        "tiktoken",
        "jwt",
        "cryptography",
        "authorize",
    }
