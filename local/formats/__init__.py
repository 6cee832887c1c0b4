"""The kinds of files that can be read, as the README lists them: ``python -m local.formats`` prints the table."""

from collections.abc import Iterator

from ingest.parsing.kinds import KINDS


def formats_table() -> str:
    """In Markdown, without a line's end behind it."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| kind | extensions |"
    yield "|---|---|"
    for kind in KINDS:
        yield f"| {kind.name} | {' '.join(f'`{extension}`' for extension in kind.extensions)} |"
