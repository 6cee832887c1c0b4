"""The headings that stand above a stretch of text."""

from bucketwise.models import Place

_MAX_HEADING = 200  # characters; it is stored with every mark, and a page may make a heading of a chapter


class HeadingPath:
    """The path of headings at one point of a document, outermost first."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []

    @property
    def place(self) -> Place:
        return Place(heading=tuple(text for _, text in self._path))

    def enter(self, level: int, text: str) -> None:
        """Go below a heading of ``level`` (1 is outermost): it ends every heading of its level or deeper."""
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if text:
            self._path.append((level, text[:_MAX_HEADING].rstrip()))
