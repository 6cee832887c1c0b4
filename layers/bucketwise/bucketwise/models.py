"""The values that both pipelines speak of. They know nothing of AWS, SQL or HTTP."""

from dataclasses import dataclass
from enum import StrEnum


class DocumentState(StrEnum):
    """What the index holds of an object of the bucket."""

    INDEXED = "indexed"
    FAILED = "failed"
    DELETED = "deleted"


class FailureReason(StrEnum):
    """Why an object cannot be indexed as it is. Permanent: only a new version helps, or to restore an archived one."""

    UNSUPPORTED = "unsupported"
    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    ARCHIVED = "archived"
    CORRUPT = "corrupt"
    NEEDS_OCR = "needs_ocr"
    TOO_LARGE = "too_large"
    TOO_COMPLEX = "too_complex"
    BAD_METADATA = "bad_metadata"
    BAD_FOLDER = "bad_folder"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its document a stretch of text stands, in the words of that kind of document.

    ``page`` and ``slide`` count from 1, and so do the ``rows`` (first and last) of a ``sheet`` or a table. ``part``
    names the attachment or the member of an archive. ``heading`` is the path of headings above the text, outermost
    first.
    """

    page: int | None = None
    heading: tuple[str, ...] = ()
    slide: int | None = None
    sheet: str | None = None
    rows: tuple[int, int] | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceMark:
    """From character ``start`` of the document's text on (to the next mark), the text stands at ``place``."""

    start: int
    place: Place


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document's text: ``text == document.text[start:end]``.

    ``tokens`` is exact for OpenAI's ``cl100k_base`` encoding. ``marks`` are ordered, and the first of
    them says where the chunk's first character stands.
    """

    ordinal: int
    text: str
    tokens: int
    start: int
    end: int
    marks: tuple[PlaceMark, ...]
