"""The steps that capacity is computed from can be measured, and what was measured can be computed with."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.capacity_steps import Steps
from local import ROOT


def run(*arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EMBEDDING_"))}
    command = [sys.executable, "-m", "bench.capacity", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_what_is_measured_on_the_twin_can_be_computed_with(tmp_path: Path) -> None:
    printed = run("--measure", "--measured-chunks", "100")
    measured = json.loads(printed)
    steps = Steps.of(measured["steps"])
    assert 0 < steps.search_chunks < steps.larger_chunks
    assert steps.cached_p50_ms < steps.ask_p50_ms
    assert steps.ask_p50_ms > steps.search_p50_ms
    (tmp_path / "measured.json").write_text(printed, encoding="utf-8")
    again = json.loads(run("--steps", str(tmp_path / "measured.json")))
    assert (again["steps"], again["stacks"]) == (measured["steps"], measured["stacks"])
