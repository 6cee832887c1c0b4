"""Flatten HTML that is nested absurdly deep, before it reaches a parser that is quadratic in depth."""

import re

MAX_DEPTH = 500
"""Elements within one another that are kept. Browsers stop at 512."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,40})([^<>]*)")
# They have no content, or the next of their kind closes them: left open they nest nothing.
_NAMES_NOT_NESTING = """
    a area base br col colgroup dd dt embed hr img input li link meta option p param rp rt source tbody td tfoot
    th thead tr track wbr
"""
_NOT_NESTING = frozenset(_NAMES_NOT_NESTING.split())


class _Nesting:
    """Follows the depth from tag to tag, roughly: scripts and attributes that hold tags count too."""

    def __init__(self) -> None:
        self.depth = 0
        self.deepest = 0

    def flatten(self, tag: re.Match[str]) -> str:
        """The tag, as a line break if its element is nested too deep."""
        closing, name, rest = tag.groups()
        if name.lower() in _NOT_NESTING or rest.endswith("/"):
            return tag[0]
        self.depth += not closing
        self.deepest = max(self.deepest, self.depth)
        too_deep = self.depth > MAX_DEPTH
        self.depth = max(0, self.depth - bool(closing))
        return f"<{closing}br{rest}" if too_deep else tag[0]


def cap_nesting(html: str) -> str:
    """The same HTML, but elements within more than ``MAX_DEPTH`` others become line breaks before their text."""
    if html.count("<") <= MAX_DEPTH:
        return html
    nesting = _Nesting()
    flat = _TAG.sub(nesting.flatten, html)
    return flat if nesting.deepest > MAX_DEPTH else html
