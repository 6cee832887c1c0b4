"""``python -m bench.bytecode --python PYTHON3.13``: the first call of ask under AWS's runtime client, by bytecode.

Runs what `make build` made behind the Runtime Interface Emulator; the first call starts the runtime, imports the
handler and answers ``GET /health?deep=1``, which opens the database connection. Prints one JSON line.
"""

import argparse
import json
import platform
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from local import ROOT
from local.built import functions, read_template
from local.emulator import Emulator
from local.services import Services, TwinOptions

MACHINE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.bytecode", description=__doc__)
    parser.add_argument("--python", required=True, help="Lambda's version of Python")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    build = ROOT / ".aws-sam" / MACHINE
    parts = functions(build, read_template(build / "template.yaml")["Resources"])["AskFunction"]
    with tempfile.TemporaryDirectory(prefix="bucketwise-bench-") as folder:
        home = Path(folder)
        bare = [_without_bytecode(part, home / str(number)) for number, part in enumerate(parts)]
        with Services(TwinOptions(home=home / "services", environment={})) as services:
            seconds: dict[str, list[float]] = {"with": [], "without": []}
            for _ in range(options.rounds + 1):  # in turn, as the machine's speed drifts; the first warms its caches
                seconds["with"].append(_first_call(options.python, parts, services, home))
                seconds["without"].append(_first_call(options.python, bare, services, home))
    with_ms, without_ms = (median(seconds[name][1:]) * 1000 for name in ("with", "without"))
    print(
        json.dumps(
            {
                "rounds": options.rounds,
                "with_bytecode_ms": round(with_ms),
                "without_bytecode_ms": round(without_ms),
                "ratio": round(with_ms / without_ms, 2),
            }
        )
    )
    return 0


def _first_call(python: str, parts: list[Path], services: Services, home: Path) -> float:
    """Seconds from the first event to its answer."""
    code, *layers = parts
    environment = services.function_environment(database_url=services.index.ask)
    with Emulator(python, code, layers, "ask.handler.lambda_handler", environment, home / "ask.log") as emulator:
        began = perf_counter()
        reply: Any = emulator.invoke(_event())
        took = perf_counter() - began
    if reply["statusCode"] != 200:
        raise SystemExit(f"the function answered {reply}")
    return took


def _event() -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / "health.json").read_text(encoding="utf-8"))
    return event | {"queryStringParameters": {"deep": "1"}, "multiValueQueryStringParameters": {"deep": ["1"]}}


def _without_bytecode(part: Path, copy: Path) -> Path:
    shutil.copytree(part, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


if __name__ == "__main__":
    raise SystemExit(main())
