"""What Lambda's Python has under this name, as far as it can be seen from outside: hooks, and here also their runs.

Lambda runs those before a snapshot in the reverse order of their registration, and those after it in that order
("Lambda SnapStart runtime hooks for Python", AWS Lambda Developer Guide).
"""

from collections.abc import Callable
from typing import Any

_before: list[Callable[[], object]] = []
_after: list[Callable[[], object]] = []


def register_before_snapshot(hook: Callable[..., Any], *given: Any, **named: Any) -> Callable[..., Any]:
    _before.insert(0, lambda: hook(*given, **named))
    return hook


def register_after_restore(hook: Callable[..., Any], *given: Any, **named: Any) -> Callable[..., Any]:
    _after.append(lambda: hook(*given, **named))
    return hook


def take_snapshot() -> None:
    for hook in _before:
        hook()


def restore() -> None:
    for hook in _after:
        hook()
