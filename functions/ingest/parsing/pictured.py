"""Pages and slides that are pictures of text: what a reader sees there, no parser does."""

from collections.abc import Sequence

from ingest.parsing.document import ParsedDocument
from ingest.parsing.parts import skip

MIN_PICTURE_SHARE = 0.3
"""Of a page's area; a scan has all of it or its middle, a logo a tenth."""

_MAX_RANGES = 20  # of pages in a row that are named


def skip_pictured(document: ParsedDocument, what: str, numbers: Sequence[int]) -> None:
    """Name pages or slides (``what``, in ascending order) whose text is missing, if there are any."""
    if numbers:
        they = "they look" if len(numbers) > 1 else "it looks"
        skip(document, f"{numbered(what, numbers)}: no text, {they} scanned (needs OCR)")


def numbered(what: str, numbers: Sequence[int]) -> str:
    """Ascending numbers as "page 3", or "pages 1-3, 7"."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = ranges[-1][0], number
        else:
            ranges.append((number, number))
    named = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_MAX_RANGES]]
    more = " and more" if len(ranges) > _MAX_RANGES else ""
    return f"{what}{'s' if len(numbers) > 1 else ''} {', '.join(named)}{more}"
