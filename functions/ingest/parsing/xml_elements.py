"""XML read as elements, of which only as many are held as one part of a document needs."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import corrupt

MAX_DEPTH = 150
"""Elements within one another. Tables within tables take 4 each; walkers use the stack, which has 1,000 frames."""

MAX_HELD = 1_000_000
"""Elements held at once, of 300 bytes or more each. A paragraph or a slide has thousands at most."""

Path = tuple[str, ...]
"""Of names without namespaces, from the root on, of the elements above one."""


def local(element: Element) -> str:
    """The element's name without its namespace: Office has two for each of its own."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """By its name without its namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of the first name, that one's first child of the second name, and so on."""
    for name in names:
        element = next((below for below in element if local(below) == name), None) if element is not None else None
    return element


def read_element(stream: BinaryIO) -> Element:
    """The whole. Raises ``UnreadableDocument``: corrupt or too_complex."""
    return next(read_elements(stream, ()))


def read_elements(stream: BinaryIO, *paths: Path) -> Iterator[Element]:
    """Every child, complete, of elements at one of the paths; the empty path is that of the root.

    A child is dropped when the next one is asked for. Raises ``UnreadableDocument``: corrupt or too_complex.
    """
    above: list[Element] = []
    depths = {len(path) for path in paths}
    held = 0
    try:
        for event, element in iterparse(stream, events=("start", "end")):
            if event == "start":
                above.append(element)
                held += 1
                _refuse_excess(len(above), held)
                continue
            above.pop()
            if len(above) in depths and tuple(map(local, above)) in paths:
                yield element
                held = len(above)
                if above:
                    above[-1].remove(element)
    except (ParseError, LookupError, ValueError) as error:  # entities are refused with a ValueError
        raise corrupt() from error


def _refuse_excess(depth: int, held: int) -> None:
    if depth > MAX_DEPTH or held > MAX_HELD:
        what = f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else "one part of a million elements"
        raise UnreadableDocument(
            FailureReason.TOO_COMPLEX, f"The file is too complex: {what}. Save it in a simpler form, or split it."
        )
