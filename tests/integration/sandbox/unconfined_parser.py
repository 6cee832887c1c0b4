"""A parser in a process whose platform refuses the limits: stands for a sandbox that cannot be had."""

from pathlib import Path

from ingest.parsing.document import ParsedDocument
from ingest.parsing.parts import Watch
from ingest.sandbox import server
from ingest.sandbox.confinement import Limits


def refuse(_limits: Limits) -> None:
    raise OSError("prctl")


def parse(path: Path, *, key: str, content_type: str | None, watch: Watch) -> ParsedDocument:
    raise AssertionError(f"parsed without limits: {path}, {key}, {content_type}, {watch}")


setattr(server, "confine", refuse)  # noqa: B010  # mypy forbids what is not exported
