"""PowerPoint presentations of 1997 to 2003 (ppt, pps): the text of their slides. The form is that of [MS-PPT]."""

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingest.parsing.archive import corrupt, encrypted
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.ole import ole_properties, open_ole
from ingest.parsing.pptx import MAX_SLIDES
from ingest.parsing.readable import Readable
from ingest.parsing.sections import Sections

# Types of records (2.13.24).
_DOCUMENT, _SLIDE_ATOM, _SLIDE_LIST, _SLIDE_PERSIST = 0x03E8, 0x03EF, 0x0FF0, 0x03F3
_TEXT_HEADER, _TEXT_UTF16, _TEXT_LATIN = 0x0F9F, 0x0FA0, 0x0FA8
_USER_EDIT, _PERSIST_DIRECTORY = 0x0FF5, 0x1772
_ENCRYPTED_TOKEN = 0xF3D1C4DF  # of the stream Current User
_SLIDES, _NOTES = 0, 2  # instances of a slide list
_TITLES, _NOTES_TEXT = frozenset({0, 6}), 2  # types of text
_CONTAINER = 0xF
_HEADER_BYTES = 8
_MAX_DEPTH = 30  # of containers; drawings have ten, each group adds one
_MAX_EDITS = 10_000
_MAX_CHARACTERS = 1 << 26
_BREAKS = str.maketrans("\r\v", "\n\n")


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Text:
    kind: int
    text: str


@dataclass(slots=True)
class _Listed:
    """A slide or a page of notes, as the document lists it: where it is saved, its number, and its outline's texts."""

    persist: int
    identifier: int
    texts: list[_Text] = field(default_factory=list)


def parse_ppt(content: Readable) -> ParsedDocument:
    """One block per slide, its notes last. Raises ``UnreadableDocument``: corrupt, encrypted."""
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    with open_ole(content) as ole:
        ole_properties(ole).write_to(parsed)
        user = ole.openstream("Current User").read()
        presentation = _Presentation(ole.openstream("PowerPoint Document").read(), user)
        slides = [presentation.sections(slide) for slide in presentation.slides]
    for number, sections in enumerate(slides, start=1):
        for block in sections.rest():
            yield replace(block, place=replace(block.place, slide=number))
        parsed.title = parsed.title or sections.first_heading


class _Presentation:
    """Its methods raise what reading beyond the end raises: struct.error, IndexError, KeyError."""

    def __init__(self, stream: bytes, user: bytes) -> None:
        self._stream = stream
        token, edit = struct.unpack_from("<2I", user, 12)
        if token == _ENCRYPTED_TOKEN:
            raise encrypted()
        self._offsets, document = self._directory(edit)
        self._characters_left = _MAX_CHARACTERS
        lists = self._lists(self._record(self._offsets[document]))
        self.slides = lists[_SLIDES][:MAX_SLIDES]
        self._notes = {notes.identifier: notes for notes in lists[_NOTES]}

    def sections(self, slide: _Listed) -> Sections:
        container = self._record(self._offsets[slide.persist])
        texts = [*slide.texts, *self._texts(container)]
        sections = Sections()
        sections.heading(1, " ".join(text.text for text in texts if text.kind in _TITLES))
        for text in texts:
            if text.kind not in _TITLES:
                sections.paragraph(text.text)
        notes = self._notes_of(container)
        if notes:
            sections.paragraph("Notes: " + "\n".join(notes))
        return sections

    def _notes_of(self, slide: _Record) -> list[str]:
        for record in self._children(slide):
            if record.kind == _SLIDE_ATOM:
                listed = self._notes.pop(struct.unpack_from("<I", self._stream, record.start + 16)[0], None)
                found = self._texts(self._record(self._offsets[listed.persist])) if listed else ()
                return [text.text for text in found if text.kind == _NOTES_TEXT]
        return []

    def _directory(self, edit: int) -> tuple[dict[int, int], int]:
        """Where each numbered object was saved last, and the document's number."""
        offsets: dict[int, int] = {}
        document: int | None = None
        for _ in range(_MAX_EDITS):
            record = self._record(edit)
            if record.kind != _USER_EDIT:
                break
            edit, directory, number = struct.unpack_from("<3I", self._stream, record.start + 8)
            document = number if document is None else document
            for identifier, offset in self._saved(self._record(directory)):
                offsets.setdefault(identifier, offset)
            if not edit:
                break
        if document is None:
            raise corrupt()
        return offsets, document

    def _saved(self, directory: _Record) -> Iterator[tuple[int, int]]:
        position = directory.start
        while directory.kind == _PERSIST_DIRECTORY and position < directory.end:
            (run,) = struct.unpack_from("<I", self._stream, position)
            first, count = run & 0xFFFFF, run >> 20
            yield from enumerate(struct.unpack_from(f"<{count}I", self._stream, position + 4), start=first)
            position += 4 + 4 * count

    def _lists(self, document: _Record) -> dict[int, list[_Listed]]:
        if document.kind != _DOCUMENT:
            raise corrupt()
        lists: dict[int, list[_Listed]] = defaultdict(list)
        for listing in (record for record in self._children(document) if record.kind == _SLIDE_LIST):
            listed = lists[listing.instance]
            kind = 0
            seen: dict[int, int] = {}  # a slide is read once, however often it is listed
            for record in self._children(listing):
                if record.kind == _SLIDE_PERSIST:
                    persist, identifier = struct.unpack_from("<I8xI", self._stream, record.start)
                    if seen.setdefault(persist, record.start) == record.start:
                        listed.append(_Listed(persist, identifier))
                elif record.kind == _TEXT_HEADER:
                    (kind,) = struct.unpack_from("<I", self._stream, record.start)
                elif listed and (text := self._text(record)):
                    listed[-1].texts.append(_Text(kind, text))
        return lists

    def _texts(self, parent: _Record, depth: int = 0) -> Iterator[_Text]:
        kind = 0
        for record in self._children(parent):
            if record.kind == _TEXT_HEADER:
                (kind,) = struct.unpack_from("<I", self._stream, record.start)
            elif text := self._text(record):
                yield _Text(kind, text)
            elif record.is_container and depth < _MAX_DEPTH:
                yield from self._texts(record, depth + 1)

    def _text(self, record: _Record) -> str:
        if record.kind not in {_TEXT_UTF16, _TEXT_LATIN}:
            return ""
        saved = self._stream[record.start : record.end]
        text = saved.decode("utf-16-le" if record.kind == _TEXT_UTF16 else "latin-1", errors="replace")
        self._characters_left -= len(text)
        if self._characters_left < 0:
            raise corrupt()  # more than the file can hold: it refers to the same text again and again
        return text.translate(_BREAKS)

    def _children(self, parent: _Record) -> Iterator[_Record]:
        position = parent.start
        while position + _HEADER_BYTES <= parent.end:
            record = self._record(position)
            yield record
            position = record.end

    def _record(self, position: int) -> _Record:
        version, kind, length = struct.unpack_from("<2HI", self._stream, position)
        start = position + _HEADER_BYTES
        return _Record(kind, version >> 4, version & 0xF == _CONTAINER, start, min(start + length, len(self._stream)))
