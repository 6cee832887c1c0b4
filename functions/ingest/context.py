"""What chunks are found by beside their own text. It is searched by words, but not embedded, and never quoted."""

import re
from collections.abc import Iterable

from bucketwise.models import Chunk

_BETWEEN_WORDS = re.compile(r"[\W_]+")


LANGUAGE_CHARACTERS = 2000


def beginning_of(chunks: Iterable[Chunk]) -> str:
    """As much of a document as is enough to tell its language by."""
    text = ""
    for chunk in chunks:
        text += f"{chunk.text}\n"
        if len(text) >= LANGUAGE_CHARACTERS:
            break
    return text[:LANGUAGE_CHARACTERS]


def context_of(chunk: Chunk, *, title: str | None, key: str) -> str:
    """The document's title, the words of its key, and the headings above and in the chunk, one below the other."""
    name = _BETWEEN_WORDS.sub(" ", key).strip()
    headings = (heading for mark in chunk.marks for heading in mark.place.heading)
    return "\n".join(dict.fromkeys(line for line in (title, name, *headings) if line))
