"""A rule of the template, and how to break it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATE = (Path(__file__).parents[3] / "template.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Fault:
    """``rule`` is broken by writing ``new`` where the template says ``old``, which ``test`` must notice."""

    rule: str
    old: str
    new: str
    test: Callable[..., Any]

    def made(self) -> str:
        """The whole template with this fault in it."""
        assert TEMPLATE.count(self.old) == 1, f"{self.rule}: {TEMPLATE.count(self.old)} places say {self.old!r}"
        return TEMPLATE.replace(self.old, self.new)
