"""What a chunk is found by beside its own text. It is searched by words, but not embedded, and never quoted."""

import re

from bucketwise.models import Chunk

_BETWEEN_WORDS = re.compile(r"[\W_]+")


def context_of(chunk: Chunk, *, title: str | None, key: str) -> str:
    """The document's title, the words of its key, and the headings above and in the chunk, one below the other."""
    name = _BETWEEN_WORDS.sub(" ", key).strip()
    headings = (heading for mark in chunk.marks for heading in mark.place.heading)
    return "\n".join(dict.fromkeys(line for line in (title, name, *headings) if line))
