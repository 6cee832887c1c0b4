"""Documents that say of every chunk whose it is, so that a reader can tell a whole version from a mixed one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from ingest.chunking import Chunker
from ingest.parsing import parse

MOST_PARTS = 4
# Two parts have more tokens than a chunk may have, one has fewer: each becomes a chunk of its own.
CHUNKER = Chunker(32, 0)

_PART = re.compile(r"Part (\d+) of (\d+) of text (\d+) of (\S+):")


def make_text(key: str, number: int, parts: int) -> str:
    """A text of so many chunks. ``number`` names it among all texts of a run."""
    return "\n\n".join(
        f"Part {part} of {parts} of text {number} of {key}: oak, elm and ash." for part in range(1, parts + 1)
    )


def is_whole(chunks: Sequence[str]) -> bool:
    """Whether these are all the chunks of one text, in order."""
    told = [_PART.match(chunk) for chunk in chunks]
    first = told[0] if told else None
    if first is None:
        return False
    _, parts, number, key = first.groups()
    wanted = [(str(part), parts, number, key) for part in range(1, int(parts) + 1)]
    return [match.groups() if match else None for match in told] == wanted


@lru_cache(maxsize=4096)
def chunks_of(text: str) -> tuple[str, ...]:
    """The chunks that ingest makes of it."""
    with NamedTemporaryFile(suffix=".txt") as file:
        file.write(text.encode())
        file.flush()
        document = parse(Path(file.name), key="a.txt", content_type=None)
        return tuple(chunk.text for chunk in CHUNKER.split(document))
