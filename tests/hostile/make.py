"""Files that mean harm, made by code: ``python -m tests.hostile.make DIR`` writes them, to try other parsers with.

Prints a line for each: its name, and the states that it may end in.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import local  # noqa: F401  # puts the functions' code on the path
from tests.hostile import mails, markup, mistaken, office_files, pdfs, texts, workbooks, zips
from tests.hostile.case import HostileFile

FAMILIES: dict[str, Callable[[], Iterator[HostileFile]]] = {
    "zips": zips.files,
    "markup": markup.files,
    "pdfs": pdfs.files,
    "texts": texts.files,
    "mails": mails.files,
    "office": office_files.files,
    "workbooks": workbooks.files,
    "mistaken": mistaken.files,
}


def hostile_files() -> Iterator[HostileFile]:
    for files in FAMILIES.values():
        yield from files()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in hostile_files():
        (folder / file.name).write_bytes(file.content)
        sys.stdout.write("\t".join((file.name, *sorted(file.states))) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
