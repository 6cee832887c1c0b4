"""``python -m bench.ingest_memory FILE``: ingests one text file with the settings of its environment.

Prints ``{"peak_mb": ..., "chunks": ...}``: the most memory that the process, and the largest of its children, held.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ingest_rates import ingest
from bench.machine import Machine, QuietTelemetry
from bench.memory_bucket import STORED_AT
from bucketwise.settings import Settings
from ingest.bucket import ObjectFacts, StoredObject
from local import ROOT


@dataclass(frozen=True, slots=True)
class FileBucket:
    """Every key names a file."""

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        path = Path(key)
        with path.open("rb") as file:
            yield StoredObject(ObjectFacts(key, "1", "1", path.stat().st_size, None, STORED_AT, {}), file)

    def sidecar(self, _key: str) -> None:
        """A file stands alone."""


def peak_megabytes(settings: Mapping[str, str], file: Path) -> float:
    """Of a process of its own that ingests ``file``. ``settings``: environment variables of the ingest function."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest_memory", str(file)],
        cwd=ROOT,
        env={"PATH": os.defpath, **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return float(told["peak_mb"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest_memory", description=__doc__)
    parser.add_argument("file")
    options = parser.parse_args(arguments)
    settings = Settings.from_environment(os.environ)
    pipeline = Machine(settings, settings, QuietTelemetry("bench")).ingest_pipeline(FileBucket())
    chunks = ingest(pipeline, options.file)
    kilobytes = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"peak_mb": round(kilobytes / 1024, 1), "chunks": chunks}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
