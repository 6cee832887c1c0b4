"""What models used for the work under way, told as each reply comes: work that fails afterwards has used it, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bucketwise.prices import ModelUsage

_told: ContextVar[list[ModelUsage] | None] = ContextVar("told", default=None)


@contextmanager
def usages_told() -> Iterator[list[ModelUsage]]:
    """A list that gets each usage which is told within, in the same thread."""
    usages: list[ModelUsage] = []
    before = _told.set(usages)
    try:
        yield usages
    finally:
        _told.reset(before)


def tell_usage(usage: ModelUsage) -> None:
    """For whoever calls a model: of each reply, before it is looked at, since one that is of no use is paid for."""
    usages = _told.get()
    if usages is not None:
        usages.append(usage)


def tokens_said(reply: object, name: str) -> int:
    """What the ``usage`` of a server's reply says under that name, which may be nothing or nonsense."""
    usage = reply.get("usage") if isinstance(reply, dict) else None
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value > 0 else 0
