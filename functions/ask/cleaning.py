"""A model's text without anything that a page would load or lead to: no images, no links, no markup.

A passage may tell a model to write a link, and to put into it what else it was shown. The links that an answer may
have are those that code makes for its citations.
"""

import re
from collections.abc import Sequence
from html import unescape

from ask.addresses import has_address, without_addresses

# Soft hyphens, spaces without width, marks of direction: they hide an address from expressions, not from a
# browser. Joiners stay, without which Persian and Hindi are misspelt: in an address they make it another one.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A label ends at the next bracket, and names have the lengths that they can have: what a model repeats a thousand times
# is read in a time that grows with its length, and no faster.
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^)\n]*\)?|\[[^\[\]]*\])")
_LINKED_MARKER = re.compile(r"(\[\d+\])\([^)\n]*\)?")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^)\n]*\)?")
_DEFINITION = re.compile(r"^[ \t]*\[(?!\d+\])[^\[\]]+\]:.*$", re.MULTILINE)
# With a space in between, Markdown sees no link in them, however their words are written. "As in [1]: so" stays.
_LINKING = re.compile(r"(\w \[\d+\]:)|\](?=[(:])")
_ELEMENT = re.compile(r"<[!/?]?[A-Za-z][^<>]*>|<!--[^<>]*-->")
_OPENING = re.compile(r"<(?=[A-Za-z!/?]|[^\s<>]*@)")


def cleaned(text: str, *, quotes: Sequence[str] = ()) -> str:
    """What a person reads of ``text``: an image's and a link's words stay, where they lead is gone.

    Mail addresses that stand in one of the ``quotes`` stay. What it gives has nothing more to clean: cleaning it again
    changes nothing.
    """
    before = None
    while text != before:  # what one pass takes away may have stood in the middle of an address
        before = text
        text = _cleaned_once(text, quotes)
    return text


def _cleaned_once(text: str, quotes: Sequence[str]) -> str:
    text = _CONTROL.sub("", _INVISIBLE.sub("", text))
    text = _LINKED_MARKER.sub(r"\1", _IMAGE.sub(r"\1", _DEFINITION.sub("", text)))
    text = _LINKING.sub(lambda found: found[1] or "] ", _LINK.sub(r"\1", text))
    if "&" in text and _reads_as_more(text):
        text = unescape(text)
    text = _OPENING.sub("< ", _ELEMENT.sub("", text))  # "n <k" stays, and opens no element
    return without_addresses(text, quotes=quotes).strip()


def _reads_as_more(text: str) -> bool:
    """Whether a page would show an element or an address where the text has entities."""
    shown = unescape(text)
    return shown != text and (has_address(shown) or any(each.search(shown) for each in (_ELEMENT, _OPENING, _LINK)))
