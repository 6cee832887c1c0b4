"""HTML: the main text of a page as Markdown, with the headings above each section."""

import codecs
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.parsing.document import ParsedDocument
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.html_nesting import cap_nesting
from ingest.parsing.html_walk import Walk
from ingest.parsing.readable import Readable
from ingest.parsing.text import clean

_DECLARATION_REACH = 4096  # bytes; the standard asks for the first 1024, pages are less strict
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{1,40})""", re.IGNORECASE)
_DECLARED_XML = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w:.-]{1,40})""", re.IGNORECASE)
# Python knows codecs that are no character sets, some of them slow or unsafe: only names like these are looked up.
_CHARACTER_SET = re.compile(
    r"(?:x-)?(?:utf-?8|us-ascii|ascii|latin-?[1-9]|iso-?8859-\d{1,2}|iso-2022-jp|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]"
    r"|gbk|gb_?2312|gb18030|big5|big5-hkscs|euc-jp|euc-kr|shift[_-]jis|sjis|mac-?roman|macintosh|tis-620)",
    re.IGNORECASE,
)
_AS_BROWSERS_DO = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}
_MAX_DAMAGED_SHARE = 0.005

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf|\s+|<!--.{0,2000}?-->|<\?xml[^>]{0,500}>)*+", re.DOTALL)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)

# HTML knows no elements that end at once: it would take a whole page for what stands in an empty <title/>. A slash
# behind a value without quotes belongs to the value.
_ENDS_AT_ONCE = re.compile(
    r"<((?!(?:br|hr|img|meta|link|input|col|wbr|area|base|embed|source|track|param)\b)[a-zA-Z][\w:-]{0,40})"
    r"((?:[^<>]{0,2000}[\s\"'])?)/>",
    re.IGNORECASE,
)

_MAIN_SHARE = 0.6


def looks_like_html(content: bytes) -> bool:
    """Whether the content begins, after comments, with a document type or an element that only HTML has."""
    head = content[:_DECLARATION_REACH]
    beginning = _BEGINNING.match(head)
    return bool(_HTML.match(head, beginning.end() if beginning else 0))


def parse_html(content: Readable) -> ParsedDocument:
    """One block per section, its headings, lists, tables and code as Markdown. The whole page is held in memory.

    The title is the page's, else its first heading of level 1.
    """
    return html_document(decode_html(content.read_bytes()))


def html_document(html: str) -> ParsedDocument:
    """The document of a page whose text was decoded already, and cleaned."""
    tree = LexborHTMLParser(cap_nesting(_ENDS_AT_ONCE.sub(r"<\1\2></\1>", html)))
    root = tree.body or tree.root
    walk = _main_text(root) if root else Walk()
    separator = "\n\n"
    return ParsedDocument(
        blocks=iter(walk.blocks),
        separator=separator,
        markdown=True,
        most_tokens=sum(len(block.text.encode()) + len(separator) for block in walk.blocks),
        title=_title(tree) or walk.first_heading,
    )


def _main_text(root: LexborNode) -> Walk:
    """The part that is marked as main when it holds most of the text, else all that is shown."""
    whole = Walk().over(root)
    if not whole.blocks:
        return Walk(keep_hidden=True).over(root)
    marked = root.css("main, [role=main]") or root.css("article")
    if len(marked) != 1:
        return whole
    main = Walk().over(marked[0])
    return main if main.size > _MAIN_SHARE * whole.size else whole


def _title(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("head > title")
    return " ".join((node.text() or "").split()) or None if node else None


def decode_html(content: bytes) -> str:
    """Text by byte-order mark, else as declared, else by detection. Raises ``UnreadableDocument`` (corrupt)."""
    survey = ByteSurvey.of([content])
    text = None if survey.marked_encoding() else _decode_declared(content, survey)
    return clean(content.decode(survey.encoding(), errors="replace") if text is None else text)


def character_set(name: str) -> str | None:
    """Python's encoding for a character set as documents name it; None if it is none that is known."""
    name = name.lower()
    if not _CHARACTER_SET.fullmatch(name):
        return None
    try:
        return codecs.lookup(_AS_BROWSERS_DO.get(name, name)).name
    except LookupError:
        return None


def _decode_declared(content: bytes, survey: ByteSurvey) -> str | None:
    """Text in the character set that the document declares; None if it is unknown or plainly wrong."""
    head = content[:_DECLARATION_REACH]
    found = _DECLARED.search(head) or _DECLARED_XML.search(head)
    encoding = character_set(found[1].decode("ascii", errors="replace")) if found else None
    if encoding is None:
        return None
    survey.refuse_binary()
    text = content.decode(encoding, errors="replace")
    return None if text.count("\ufffd") > len(text) * _MAX_DAMAGED_SHARE else text
