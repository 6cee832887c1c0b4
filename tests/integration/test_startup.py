"""What a function does before its first event: no search for garbage until all is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.coldstart import VARIABLES
from local import CODE, ROOT

HANDLERS = sorted(path.relative_to(ROOT / "functions") for path in (ROOT / "functions").glob("*/*handler.py"))
PROGRAM = """
import gc, json, sys
before = gc.get_stats()
__import__(sys.argv[1])
searched = [after["collections"] - once["collections"] for after, once in zip(gc.get_stats(), before)]
print(json.dumps({"searched": searched, "left_out": gc.get_freeze_count(), "goes_on": gc.isenabled()}))
"""
IMPORTED = 40_000  # objects; the smallest of the functions has twice as many


@pytest.mark.parametrize("handler", HANDLERS, ids=str)
def test_garbage_is_looked_for_only_once_a_function_has_started(handler: Path) -> None:
    module = ".".join(handler.with_suffix("").parts)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module],
        env=VARIABLES | {"PYTHONPATH": ":".join(map(str, CODE))},
        capture_output=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["searched"][1:] == [0, 0]  # the youngest may be looked through as soon as it may be again
    assert told["left_out"] > IMPORTED
    assert told["goes_on"]
