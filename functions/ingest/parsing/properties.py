"""What a document says of itself: title, author and dates, as far as they can be believed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from ingest.parsing.document import ParsedDocument
from ingest.parsing.text import clean
from ingest.parsing.xml_elements import local, read_element

_MAX_TITLE = 300  # characters
_MAX_AUTHOR = 200
_MAX_DATE = 40
_FILE_NAME = re.compile(r"\.\w{2,5}$")
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
# ISO 32000-1, 7.9.4; some programs leave out the mark D:, some write an offset behind the Z.
_PDF_DATE = re.compile(
    r"(?:D:|(?=\d{14}))(?P<year>\d{4})(?P<month>\d\d)?(?P<day>\d\d)?(?P<hour>\d\d)?(?P<minute>\d\d)?(?P<second>\d\d)?"
    r"(?:Z(?:00'?00'?)?|(?P<offset>[+-]\d\d)(?:'?(?P<offset_minutes>\d\d))?'?)?"
)
_NO_TITLES = {
    "untitled", "title", "document", "document1", "presentation", "presentation1", "workbook", "none", "null",
    "powerpoint presentation", "word document", "slide 1", "(anonymous)",
}  # fmt: skip
_NO_AUTHORS = {
    "author", "user", "unknown", "admin", "administrator", "windows user", "microsoft office user", "python-docx",
    "openpyxl", "anonymous", "(anonymous)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Properties:
    """Dates are those of ``timestamp``."""

    title: str | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None

    def write_to(self, document: ParsedDocument) -> None:
        document.title = self.title
        document.author = self.author
        document.created = self.created
        document.modified = self.modified


def read_properties(stream: BinaryIO) -> Properties:
    """Of docProps/core.xml (ECMA-376, part 2) or OpenDocument's meta.xml. Raises ``UnreadableDocument`` (corrupt)."""
    found: dict[str, str] = {}
    for element in read_element(stream).iter():
        if element.text:
            found.setdefault(local(element), element.text)
    return believed(
        title=found.get("title"),
        author=_first(found, "initial-creator", "creator"),
        created=_first(found, "created", "creation-date"),
        modified=_first(found, "modified", "date"),
    )


def believed(*, title: str | None, author: str | None, created: str | None, modified: str | None) -> Properties:
    return Properties(usable_title(title), _usable_author(author), timestamp(created), timestamp(modified))


def usable_title(stored: str | None) -> str | None:
    """A title, unless it is a file's name or a program's placeholder."""
    title = " ".join(_PROGRAM.sub("", clean(stored or "")).split())
    if not 3 <= len(title) <= _MAX_TITLE or title.lower() in _NO_TITLES or _FILE_NAME.search(title):
        return None
    return title if any(map(str.isalpha, title)) else None


def _usable_author(stored: str | None) -> str | None:
    author = " ".join(clean(stored or "").split())[:_MAX_AUTHOR]
    return None if not author or author.lower() in _NO_AUTHORS else author


def timestamp(stored: str | None) -> str | None:
    """A date of ISO 8601 or of PDF as ISO 8601 in UTC, to the second; None if it is none in the years 1 to 9999.

    Without a zone it is taken for UTC, without a time for midnight.
    """
    text = (stored or "").strip("\0 \t\r\n")[:_MAX_DATE]
    try:
        moment = datetime.fromisoformat(_from_pdf(text))
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC).isoformat(timespec="seconds")
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return None


def _from_pdf(text: str) -> str:
    """In ISO 8601, if it is a date of PDF."""
    found = _PDF_DATE.fullmatch(text)
    if found is None:
        return text
    date = f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}"
    time = f"{found['hour'] or '00'}:{found['minute'] or '00'}:{found['second'] or '00'}"
    offset = f"{found['offset']}:{found['offset_minutes'] or '00'}" if found["offset"] else "Z"
    return f"{date}T{time}{offset}"


def _first(found: Mapping[str, str], *names: str) -> str | None:
    return next((found[name] for name in names if name in found), None)
