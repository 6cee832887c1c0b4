"""A search for files that parsers stumble over, guided by what they reach: ``python -m tests.fuzz.parsers --help``.

It needs atheris (Linux, Python 3.11 to 3.13), which is not among this project's requirements:

    python -m venv .venv-fuzz
    .venv-fuzz/bin/pip install -r tests/requirements.txt && .venv-fuzz/bin/pip install atheris
    PYTHONPATH=.:functions:layers/bucketwise .venv-fuzz/bin/python -m tests.fuzz.parsers --seconds 300 PDF XML

Each kind is searched for its share of the time, from its sample on, until something is found. What was found is kept in
the folder, and its traceback is printed; the program then ends with 1.
"""

import argparse
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 16
LIMITS = ("-timeout=20", "-rss_limit_mb=2048", f"-max_len={MOST_BYTES}", "-print_final_stats=1", "-verbosity=0")
INSTRUMENTED = ["ingest.parsing", "olefile", "striprtf", "email", "zipfile", "charset_normalizer", "csv", "json"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="of all kinds together")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="for what is found and what led to it")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="as in the README's table; all without any")
    given = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print(f"atheris cannot be imported.\n\n{__doc__}", file=sys.stderr)  # noqa: T201
        return 2
    if given.worker:
        _search(given.kinds[0], given.folder, given.seconds)
    from tests.fuzz.entry import PARSERS

    unknown = set(given.kinds) - set(PARSERS)
    if unknown:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    kinds = given.kinds or list(PARSERS)
    return max(_searched(kind, given.folder, max(1, given.seconds // len(kinds))) for kind in kinds)


def _searched(kind: str, folder: Path, seconds: int) -> int:
    """In a process of its own: a search ends its process."""
    options = ["--worker", "--seconds", str(seconds), "--folder", str(folder), kind]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.parsers", *options], capture_output=True, text=True, check=False
    )
    runs = [line.split()[-1] for line in ran.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    print(f"{kind}: {seconds} s, {runs[-1] if runs else 'no'} files, {'found' if ran.returncode else 'nothing'}")  # noqa: T201
    if ran.returncode:
        print(ran.stdout[-4000:], ran.stderr[-4000:], sep="\n")  # noqa: T201
    return int(ran.returncode != 0)


def _search(kind: str, folder: Path, seconds: int) -> None:
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.entry import members_of, packed, sample_of, try_parser

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        members = members_of(data)
        if not members or seed % 5 == 0:
            return bytes(atheris.Mutate(data, most))
        name = sorted(members)[seed % len(members)]
        changed = packed({**members, name: bytes(atheris.Mutate(members[name], most // 2))})
        return changed if len(changed) <= most else data

    corpus = folder / kind.replace(" ", "-").replace("'", "")
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "sample").write_bytes(sample_of(kind))
    options: list[Any] = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={corpus}-", str(corpus)]
    atheris.Setup([sys.argv[0], *options], lambda data: try_parser(kind, data), custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
