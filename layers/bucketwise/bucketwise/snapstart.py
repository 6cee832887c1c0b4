"""What must not be in a snapshot of an execution environment: connections, keys, and the state of chance.

With SnapStart, Lambda copies an environment after its init and begins others from the copy, hours later and side by
side. A connection in it is dead, a key may be an old one, and all copies would go on with the same random numbers.
Nothing is connected at import; what an environment has made all the same is closed and forgotten before the snapshot,
and made again by the first request after it. Without SnapStart nothing here is called.
"""

import random
from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, Protocol, TypeVar
from weakref import WeakSet


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)
T = TypeVar("T")

_open: WeakSet[Any] = WeakSet()
_kept: list[Callable[[], None]] = []


def kept(make: Callable[[], T]) -> "_lru_cache_wrapper[T]":
    """``make``, called on first use alone, until a snapshot. What it raises is not kept."""
    made = lru_cache(maxsize=1)(make)
    _kept.append(made.cache_clear)
    return made


def kept_for_each(most: int) -> "Callable[[Callable[..., T]], _lru_cache_wrapper[T]]":
    """The same for each argument of ``make``: of the ``most`` that were used last."""

    def keeping(make: Callable[..., T]) -> "_lru_cache_wrapper[T]":
        made = lru_cache(maxsize=most)(make)
        _kept.append(made.cache_clear)
        return made

    return keeping


def closed_before_snapshot(thing: C) -> C:
    """The same, noted without being kept alive."""
    _open.add(thing)
    return thing


def before_snapshot() -> None:
    for thing in tuple(_open):
        thing.close()
    _open.clear()
    for forget in _kept:
        forget()


def after_restore() -> None:
    random.seed()  # jitter; what must not be guessed (ids, TLS) is drawn from the system anyway


try:
    # In Lambda's own runtime, and nowhere else.
    from snapshot_restore_py import register_after_restore, register_before_snapshot
except ImportError:
    pass
else:
    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)
