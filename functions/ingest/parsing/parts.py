"""Documents within a document: the attachments of a mail, the files of an archive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.readable import InMemory, Readable
from ingest.parsing.text import clean

MAX_DEPTH = 3
"""Parts within parts: an archive in a mail in an archive. Bombs go deeper, people do not."""

MAX_PARTS = 20_000
"""Of one document, at all depths together."""

MAX_TOTAL_BYTES = 400 << 20
"""Of all parts at all depths together, as large as they are when unpacked. An archive in an archive counts twice."""

_MAX_NAME = 200  # characters; names are stored with every mark
_MAX_NAMES = 500  # characters, of a part and of those it is in
_MAX_SKIPPED = 100

_WHY = {
    FailureReason.UNSUPPORTED: "this kind of file cannot be read",
    FailureReason.ENCRYPTED: "it needs a password",
    FailureReason.CORRUPT: "it is damaged",
    FailureReason.NEEDS_OCR: "it holds pictures only",
    FailureReason.TOO_LARGE: "it is too large",
    FailureReason.TOO_COMPLEX: "it is too complex",
}

ParsePart = Callable[[Readable, str, str | None, "Parts"], ParsedDocument]
"""Parses a part by its content, name and content type. What it holds itself is parsed with the ``Parts``."""


class Watch(Protocol):
    """Is told of each part when it begins and ends. A part of the document itself has the ``depth`` 0."""

    def enter(self, depth: int, name: str) -> None:
        """Raises ``UnreadableDocument`` for a part that is to be passed by."""

    def leave(self, depth: int) -> None: ...


class Unwatched:
    """Reads every part, and tells nobody."""

    def enter(self, depth: int, name: str) -> None: ...
    def leave(self, depth: int) -> None: ...


@dataclass(slots=True)
class _Budget:
    parts: int = MAX_PARTS
    size: int = MAX_TOTAL_BYTES

    def spend(self, size: int) -> None:
        self.parts -= 1
        self.size -= size
        if self.parts < 0 or self.size < 0:
            raise UnreadableDocument(FailureReason.TOO_LARGE, "The file holds too many or too large parts. Split it.")


@dataclass(frozen=True, slots=True)
class Parts:
    """Parses the parts of one document with ``parse``, and counts what they take together."""

    parse: ParsePart
    watch: Watch = field(default_factory=Unwatched)
    depth: int = 0
    budget: _Budget = field(default_factory=_Budget)

    def blocks(
        self, read: Callable[[], bytes], *, name: str, content_type: str | None, into: ParsedDocument
    ) -> Iterator[Block]:
        """The part's text, for a document ``into`` whose blocks are joined by nothing.

        A part that cannot be read, or not whole, is named in ``into.skipped``; one without text lacks nothing.
        """

        def parse(inner: Parts) -> ParsedDocument:
            content = read()
            self.budget.spend(len(content))
            return self.parse(InMemory(content), name, content_type, inner)

        return self.blocks_of(parse, name=name, into=into)

    def blocks_of(
        self, parse: "Callable[[Parts], ParsedDocument]", *, name: str, into: ParsedDocument
    ) -> Iterator[Block]:
        """As ``blocks``, of a part that ``parse`` makes a document of with the ``Parts`` for its own parts."""
        name = part_name(name)
        document = ParsedDocument(iter(()), separator="")
        place: Place | None = None
        try:
            self.watch.enter(self.depth, name)
            document = parse(self._within())
            for block in document.blocks:
                place = replace(block.place, part=_joined(name, block.place.part))
                yield Block(block.text + document.separator, place)
        except UnreadableDocument as problem:
            if problem.reason is not FailureReason.EMPTY:
                skip(into, f"{name}: {why(problem)}")
        if place is not None:
            yield Block("\n\n", place)
        for inner in document.skipped:
            skip(into, f"{name}: {inner}")
        self.watch.leave(self.depth)

    def _within(self) -> "Parts":
        """For the parts of a part. Raises ``UnreadableDocument`` (too_complex)."""
        if self.depth >= MAX_DEPTH:
            raise UnreadableDocument(
                FailureReason.TOO_COMPLEX, f"The file holds files more than {MAX_DEPTH} deep in one another. Unpack it."
            )
        return replace(self, depth=self.depth + 1)


def part_name(name: str) -> str:
    """A name fit to be shown: on one line and not too long."""
    name = " ".join(clean(name).split())
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME // 2]}...{name[-_MAX_NAME // 2 :]}"


def skip(document: ParsedDocument, what: str) -> None:
    """Name what is missing of the document, unless too much is named already."""
    if len(document.skipped) < _MAX_SKIPPED:
        document.skipped.append(what)
    elif len(document.skipped) == _MAX_SKIPPED:
        document.skipped.append("and more")


def why(problem: UnreadableDocument) -> str:
    return _WHY.get(problem.reason, problem.reason.value)


def _joined(name: str, inner: str | None) -> str:
    return (f"{name}/{inner}" if inner else name)[:_MAX_NAMES]
