"""What a document says of itself: title, author and dates, as far as they can be believed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from ingest.parsing.document import ParsedDocument
from ingest.parsing.text import clean
from ingest.parsing.xml_elements import local, read_element

_MAX_TITLE = 300  # characters
_MAX_AUTHOR = 200
_MAX_DATE = 40
_FILE_NAME = re.compile(r"\.\w{2,5}$")
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
_NO_TITLES = {
    "untitled", "title", "document", "document1", "presentation", "presentation1", "workbook", "none", "null",
    "powerpoint presentation", "word document", "slide 1",
}  # fmt: skip
_NO_AUTHORS = {
    "author", "user", "unknown", "admin", "administrator", "windows user", "microsoft office user", "python-docx",
    "openpyxl",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Properties:
    """Dates are ISO 8601."""

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
    return Properties(usable_title(title), _usable_author(author), _usable_date(created), _usable_date(modified))


def usable_title(stored: str | None) -> str | None:
    """A title, unless it is a file's name or a program's placeholder."""
    title = " ".join(_PROGRAM.sub("", clean(stored or "")).split())
    if not 3 <= len(title) <= _MAX_TITLE or title.lower() in _NO_TITLES or _FILE_NAME.search(title):
        return None
    return title if any(map(str.isalpha, title)) else None


def _usable_author(stored: str | None) -> str | None:
    author = " ".join(clean(stored or "").split())[:_MAX_AUTHOR]
    return None if not author or author.lower() in _NO_AUTHORS else author


def _usable_date(stored: str | None) -> str | None:
    try:
        return datetime.fromisoformat((stored or "").strip()[:_MAX_DATE]).isoformat(timespec="seconds")
    except ValueError:
        return None


def _first(found: Mapping[str, str], *names: str) -> str | None:
    return next((found[name] for name in names if name in found), None)
