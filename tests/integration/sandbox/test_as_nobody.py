"""What a child can do to the function when neither is root, as in Lambda."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
NOBODY = "65534"
# A user of its own that may look into folders, so that it finds an interpreter that is installed in root's.
TO_NOBODY = [
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search",
]  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process give these up")


def deeds(*options: str) -> dict[str, Any]:
    """What they came to, in a function that is not run by root."""
    program = [sys.executable, "-m", "tests.integration.sandbox.as_nobody", *options]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("this is root, and there is no setpriv to become another user")
        if subprocess.run([*TO_NOBODY, sys.executable, "-c", ""], capture_output=True, check=False).returncode:
            pytest.skip("this is root, which may not become another user here, or whose Python no other user may run")
        program = [*TO_NOBODY, *program]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("", "functions", "layers/bucketwise"))
    environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OPENAI_API_KEY": "opens-nothing"}
    ran = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    assert said["user"] != 0
    return said


def test_a_child_reaches_neither_the_function_nor_the_network() -> None:
    done = deeds()
    said = done["said"]
    assert said.pop("open_sockets").split() == ["refused:", "PermissionError"] * 6
    assert set(said.values()) == {"refused: PermissionError"}
    assert not done["reached"]


def test_without_the_confinement_it_would_reach_both() -> None:
    done = deeds("unprotected")
    assert done["said"]["environment_of_function"].startswith("read ")
    assert done["said"]["runtime_api"] == "done"
    assert done["reached"]
