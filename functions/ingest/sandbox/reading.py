"""One document, read by as many children as it takes."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from bucketwise.errors import ParserUnavailable, UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import why
from ingest.sandbox.fork_server import Child, PassedBy
from ingest.sandbox.losses import ChildLost, Loss, garbled, too_complex
from ingest.sandbox.messages import Begun, Ended, Entered, Facts, Left, Parsed, Part, Problem, Refused, Unconfined

MOST_RESTARTS = 3
"""Of one document: each reads again what was read before."""

_NOTHING_READ = {FailureReason.EMPTY, FailureReason.UNSUPPORTED}  # also of a container whose only part is passed by

Told = Begun | Parsed | Ended
NewChild = Callable[[PassedBy], AbstractContextManager[Child]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """``output_bytes`` is what a child may send; after ``seconds`` of waiting no other child is started."""

    output_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Open:
    """A part that the child is in, and how many blocks it had sent before."""

    part: Part
    blocks_before: int


class Reading:
    """Children that are given the same document, but for the parts that their predecessors were lost in.

    A parser does the same whenever it is given the same: so a child's first blocks, before those parts, are the ones
    that its predecessor sent, and they are dropped.
    """

    def __init__(self, new_child: NewChild, bounds: Bounds, lost: Callable[[Loss], None]) -> None:
        self._new_child = new_child
        self._bounds = bounds
        self._lost = lost
        self._passed_by: dict[tuple[int, ...], FailureReason] = {}
        self._missing: list[str] = []
        self._first_loss: Loss | None = None
        self._waited = 0.0
        self._begun = False
        self._last_place: Place | None = None
        # Of the child that reads now:
        self._open: list[_Open] = []
        self._sent = 0
        self._to_drop = 0

    def messages(self) -> Generator[Told, None, None]:
        """What the children say, as if they were one. Raises as ``Sandbox.parse`` does."""
        while True:
            try:
                with self._new_child(self._passed_by) as child:
                    yield from self._told_by(child)
            except ChildLost as lost:
                yield from self._pass_by(lost.loss)
            else:
                return

    def _told_by(self, child: Child) -> Iterator[Told]:
        self._open.clear()
        self._sent = 0
        try:
            while True:
                said = child.next()
                if child.reader.received > self._bounds.output_bytes:
                    raise too_complex(f"more than {self._bounds.output_bytes:,} bytes for its text")
                match said:
                    case Entered(part):
                        del self._open[len(part.path) - 1 :]
                        self._open.append(_Open(part, self._sent))
                    case Left(depth):
                        del self._open[depth:]
                    case Begun():
                        if not self._begun:
                            yield said
                        self._begun = True
                    case Parsed(block):
                        self._sent += 1
                        if self._sent > self._to_drop:
                            self._last_place = block.place
                            yield said
                    case Ended():
                        yield said
                        return
                    case Refused(problem):
                        yield self._without_more(problem)
                        return
                    case Unconfined(name):  # says nothing of the document
                        raise ParserUnavailable(f"a parsing process could not be confined ({name})")
        finally:
            self._waited += child.reader.waited

    def _pass_by(self, loss: Loss) -> Iterator[Told]:
        """For the next child. What was read of the part stays, and is ended as any part's text is."""
        self._lost(loss)
        self._first_loss = self._first_loss or loss
        if not self._open or self._sent < self._to_drop or self._waited > self._bounds.seconds:
            raise loss.problem
        if len(self._passed_by) == MOST_RESTARTS:
            raise _too_many(loss)
        part, blocks_before = self._open[-1].part, self._open[-1].blocks_before
        self._passed_by[part.path] = loss.problem.reason
        self._missing.append(f"{': '.join(each.part.name for each in self._open)}: {why(loss.problem)}")
        if self._sent > blocks_before and self._last_place is not None:
            yield Parsed(Block("\n\n", self._last_place))
        self._to_drop = blocks_before

    def _without_more(self, problem: Problem) -> Ended:
        """The end of a document that had no more to read than what was lost halfway. Raises UnreadableDocument."""
        if self._first_loss is None or problem.reason not in _NOTHING_READ:
            raise UnreadableDocument(problem.reason, problem.hint)
        if self._last_place is None:
            raise self._first_loss.problem
        return Ended(Facts(None, None, None, None, None, self._missing))


def document_of(messages: Iterator[Told]) -> ParsedDocument:
    """The document whose blocks are read from ``messages``, and whose facts come last."""
    begun = next(messages)
    if not isinstance(begun, Begun):
        raise garbled().problem
    head = begun.head
    document = ParsedDocument(iter(()), head.separator, markdown=head.markdown, most_tokens=head.most_tokens)
    document.blocks = _blocks(messages, document)
    return document


def _blocks(messages: Iterator[Told], document: ParsedDocument) -> Iterator[Block]:
    for told in messages:
        if isinstance(told, Parsed):
            yield told.block
        elif isinstance(told, Ended):
            for name, value in asdict(told.end).items():
                setattr(document, name, value)


def _too_many(loss: Loss) -> UnreadableDocument:
    return UnreadableDocument(
        loss.problem.reason,
        f"The parsers failed over more than {MOST_RESTARTS} of the files within. Unpack it and upload them one by one.",
    )
