"""A model's text without anything that a page would load or lead to: no images, no links, no markup.

A passage may tell a model to write a link, and to put into it what else it was shown. The links that an answer may
have are those that code makes for its citations. What merely looks like one, as "<branch>" or "[Note]: 5 EUR", stays
to be read, with a space that keeps it from being one.
"""

import re
from collections.abc import Sequence
from html import unescape

from ask.addresses import has_address, is_address, without_addresses

# Soft hyphens, spaces without width, marks of direction: they hide an address from expressions, not from a browser.
# Joiners stay, without which Persian and Hindi are misspelt: in an address they make it another one.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A label ends at the next bracket, and names have the lengths that they can have: what a model repeats a thousand times
# is read in a time that grows with its length, and no faster.
_MARKER = r"\[\d[\d\s,;–-]*\]"
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\(([^)\n]*)\)?|\[[^\[\]]*\])")
_LINK = re.compile(r"(\[[^\[\]]*\])\(([^)\n]*)\)?")
_DEFINITION = re.compile(r"^[ \t]*\[(?!\d+\])[^\[\]\n]+\]:[ \t]*<?(\S+)(?:[ \t]+[\"'(].*)?[ \t]*$", re.MULTILINE)
# How a link's destination begins that is no address: within the page or the site, or with a name.
_DESTINATION = re.compile(r"<?(?:[#/\\?]|\.\.?/)|\S*?[^\W\d_]\.[^\W\d_]{2}")
# With a space in between, Markdown sees no image and no link in them, however their words are written. "As in [1]: so"
# stays.
_CALLING = re.compile(rf"!(?={_MARKER}[(\[])")
_LINKING = re.compile(r"(\w \[\d+\]:)|\](?=[(:])")

_BLOCKS = "blockquote|br|center|div|dd|dl|dt|h[1-6]|hr|li|ol|p|table|tbody|td|tfoot|th|thead|tr|ul"
# What models format with, and what loads or runs something. Other names stay: most are of placeholders.
_NAMES = "b|big|del|em|font|i|iframe|img|ins|kbd|mark|pre|s|script|small|span|strike|strong|style|sub|sup|svg|u"
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})(?:[\s/][^<>=]*=[^<>]*|\s*/?)>", re.IGNORECASE)
_ELEMENT = re.compile(
    rf"</?(?:{_NAMES})\s*/?>|<(?:a|{_NAMES})[\s/][^<>=]*=[^<>]*>|</a\s*>|<!--[^<>]*-->|<[a-z][a-z0-9+.-]{{0,30}}:[/\\][^\s<>]*>",
    re.IGNORECASE,
)
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
    text = _CALLING.sub("! ", _CONTROL.sub("", _INVISIBLE.sub("", text)))
    text = _LINK.sub(_label, _IMAGE.sub(_description, _DEFINITION.sub(_definition, text)))
    text = _LINKING.sub(lambda found: found[1] or "] ", text)
    if "&" in text and _reads_as_more(text):
        text = unescape(text)
    text = _OPENING.sub("< ", _ELEMENT.sub("", _BLOCK.sub(" ", text)))  # "n <k" stays, and opens no element
    return without_addresses(text, quotes=quotes).strip()


def _definition(found: re.Match[str]) -> str:
    return "" if is_address(found[1]) else found[0]


def _description(found: re.Match[str]) -> str:
    """An image's; if what is in its parentheses are words, they stay."""
    return found[1] if found[2] is None or _leads_away(found[2]) else f"! {found[0][1:]}"


def _label(found: re.Match[str]) -> str:
    """A link's, with brackets if it is a marker; if what is in its parentheses are words, they stay."""
    if not _leads_away(found[2]):
        return found[0]
    return found[1] if re.fullmatch(_MARKER, found[1]) else found[1][1:-1]


def _leads_away(inside: str) -> bool:
    """Whether parentheses hold what a link leads to, perhaps with a title, and not words."""
    word, *title = inside.split(maxsplit=1) or [""]
    if title and title[0][0] not in "\"'(":
        return False
    return is_address(word.lstrip("<")) or _DESTINATION.match(word) is not None


def _reads_as_more(text: str) -> bool:
    """Whether a page would show an element or an address where the text has entities."""
    shown = unescape(text)
    return shown != text and (
        has_address(shown) or any(each.search(shown) for each in (_BLOCK, _ELEMENT, _OPENING, _LINK))
    )
