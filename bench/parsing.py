"""Every file below a folder through the sandboxed parsers: ``python -m bench.parsing DIR`` prints one JSON line.

A file ``sources/<name>`` with ``groundtruth/<name>.md`` beside it is compared by the F1 of its tokens: lower-cased
runs of letters and digits, counted with repetition.
"""

import argparse
import json
import re
import resource
import sys
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bucketwise.errors import UnreadableDocument
from ingest.parsing.kinds import BY_EXTENSION
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import How

_TOKEN = re.compile(r"\w+")


@dataclass(slots=True)
class Tally:
    states: Counter[str] = field(default_factory=Counter)
    formats: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    f1: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bytes: int = 0
    seconds: float = 0.0
    indexed_empty: int = 0

    def take(self, sandbox: Sandbox, folder: Path, path: Path) -> None:
        began = time.perf_counter()
        state, text = _parsed(sandbox, folder, path)
        self.seconds += time.perf_counter() - began
        self.bytes += path.stat().st_size
        extension = path.suffix.lower() or "none"
        self.states[state] += 1
        self.formats[extension][state] += 1
        if text is None:
            return
        self.indexed_empty += not text.strip()
        reference = path.parent.parent / "groundtruth" / f"{path.name}.md"
        if path.parent.name == "sources" and reference.exists():
            self.f1[extension].append(token_f1(text, reference.read_text(encoding="utf-8")))


def _parsed(sandbox: Sandbox, folder: Path, path: Path) -> tuple[str, str | None]:
    """The state that a document would have, and its text if it has one."""
    try:
        with sandbox.parse(path, key=path.relative_to(folder).as_posix(), content_type=None) as document:
            text = document.separator.join(block.text for block in document.blocks)
            return "partial" if document.skipped else "indexed", text
    except UnreadableDocument as problem:
        return problem.reason.value, None


def token_f1(text: str, reference: str) -> float:
    """Twice the tokens in common over the tokens of both, 0..1."""
    ours, theirs = (Counter(_TOKEN.findall(each.lower())) for each in (text, reference))
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else 1.0


def measure(folder: Path) -> dict[str, object]:
    tally = Tally()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    losses: list[How] = []
    with closing(Sandbox(SandboxLimits(), lambda loss: losses.append(loss.how))) as sandbox:
        for path in files:
            tally.take(sandbox, folder, path)
    hangs = losses.count(How.HUNG)
    known = [path for path in files if path.suffix.lower() in BY_EXTENSION]
    # Of all children and their children; kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {
        "files": len(files),
        "of_known_kinds": len(known),
        "indexed": tally.states["indexed"] + tally.states["partial"],
        "states": dict(tally.states),
        "formats": {extension: dict(states) for extension, states in sorted(tally.formats.items())},
        "crashes": len(losses) - hangs,
        "hangs": hangs,
        "indexed_empty": tally.indexed_empty,
        "s_per_mb": round(tally.seconds * 1e6 / max(1, tally.bytes), 3),
        "peak_mb": round(peak),
        "f1_median": {extension: round(median(values), 3) for extension, values in sorted(tally.f1.items())},
    }


def main() -> int:
    """1 if a file took its parser along, made it hang, or was indexed without text."""
    parser = argparse.ArgumentParser(prog="python -m bench.parsing", description=__doc__)
    parser.add_argument("folder", type=Path)
    line = measure(parser.parse_args().folder)
    print(json.dumps(line))
    return int(any(line[name] for name in ("crashes", "hangs", "indexed_empty")))


if __name__ == "__main__":
    raise SystemExit(main())
