"""How a child was lost, and what that says of its document."""

import builtins
import signal
from dataclasses import dataclass
from enum import StrEnum

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason

_PANIC = "PanicException"  # of a parser written in Rust
_OF_LIMITS = {signal.SIGXCPU, signal.SIGKILL}
_MUCH = 0.5  # of the memory: a library that gets no more, of a large piece, ends as by a crash


class How(StrEnum):
    HUNG = "hung"
    LIMITS = "limits"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Loss:
    """``cause`` is the name of a signal or of a known exception, and holds nothing of the document."""

    how: How
    cause: str

    @property
    def problem(self) -> UnreadableDocument:
        if self.how is How.CRASHED:
            hint = f"The parser failed over this file ({self.cause}). Open it, save it again and upload the copy."
            return UnreadableDocument(FailureReason.CORRUPT, hint)
        what = "more time than one part" if self.how is How.HUNG else "more time or memory than a document"
        return too_complex(f"{what} may have")


class ChildLost(Exception):
    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.how.value)
        self.loss = loss


def too_complex(what: str) -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_COMPLEX, f"Parsing the file takes {what}. Split it, or save it in a simpler form."
    )


def hung() -> Loss:
    return Loss(How.HUNG, "no answer")


def garbled() -> Loss:
    return Loss(How.CRASHED, "a garbled answer")


def ended_by_signal(number: int | None, *, memory_used: float) -> Loss:
    """None for a child that ended by itself. ``memory_used`` is its share of what it may have."""
    if number is None:
        return Loss(How.CRASHED, "an early end")
    of_limits = number in _OF_LIMITS or memory_used > _MUCH
    return Loss(How.LIMITS if of_limits else How.CRASHED, signal.Signals(number).name)


def ended_by_exception(name: str) -> Loss:
    if name == MemoryError.__name__:
        return Loss(How.LIMITS, name)
    known = name == _PANIC or isinstance(getattr(builtins, name, None), type)
    return Loss(How.CRASHED, name if known else "an exception")
