"""Which kind a file is of: by its content where that tells, else by its name, else by its declared content type."""

from ingest.parsing.archive import open_archive
from ingest.parsing.doc import parse_doc
from ingest.parsing.docx import parse_docx
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.epub import is_epub
from ingest.parsing.html import looks_like_html
from ingest.parsing.kinds import BY_CONTENT_TYPE, BY_EXTENSION, Kind
from ingest.parsing.odf_documents import parse_odp, parse_odt
from ingest.parsing.office import ZIP_MAGIC, OfficeParser, office_parser
from ingest.parsing.ole import MAGIC as OLE_MAGIC
from ingest.parsing.ole import open_ole
from ingest.parsing.outlook import is_msg
from ingest.parsing.ppt import parse_ppt
from ingest.parsing.pptx import parse_pptx
from ingest.parsing.readable import Readable
from ingest.parsing.sheets import parse_sheets
from ingest.parsing.text_signatures import by_signature

BEGINNING = 4096
"""Bytes that are enough to know a kind by."""

_PDF_HEADER = b"%PDF-"
_PDF_HEADER_REACH = 1024  # bytes; pdfium too forgives that much before the header
_MARKS_OF_A_DOCUMENT = frozenset({"[Content_Types].xml", "mimetype"})
_PLAIN_TEXT = BY_EXTENSION[".txt"]
_OFFICE: dict[OfficeParser, str] = {
    parse_docx: ".docx",
    parse_pptx: ".pptx",
    parse_sheets: ".xlsx",
    parse_odt: ".odt",
    parse_odp: ".odp",
    parse_doc: ".doc",
    parse_ppt: ".ppt",
}
# A page saved under a text's, a document's or a sheet's name, as web applications deliver their exports. A mail or an
# e-book's chapter may begin with a page; what is declared as one of them is one.
_NEVER_A_PAGE = frozenset({"mail", "mailbox", "XML", "source code"})
# What a text with a signature is under the name of another kind of text. Most texts may hold anything; of plain texts
# only those are read as another kind that cannot fail as it, and a kind that refuses what is none of it gives way.
_UNDER_ITS_NAME = {
    "plain text": frozenset({".vtt", ".mbox"}),
    "JSON": frozenset({".xml", ".jsonl"}),
    "XML": frozenset({".json", ".jsonl"}),
}
# Programs and people give these names to tables and texts.
_TEXT_UNDER_OLD_NAMES = {".xls": ".tsv", ".doc": ".txt"}


def kind_of(content: Readable, *, extension: str, content_type: str | None) -> Kind | None:
    """``extension`` is in lower case and with its point. None for a kind that is not read.

    Raises ``UnreadableDocument`` for a container that is encrypted or damaged.
    """
    with content.open("rb") as file:
        beginning = file.read(BEGINNING)
    declared = BY_EXTENSION.get(extension) or _by_content_type(content_type)
    found = _by_magic(content, beginning, declared) or _by_first_lines(beginning, declared)
    if found is not None:
        return found
    if extension in _TEXT_UNDER_OLD_NAMES and _is_text(beginning):
        return BY_EXTENSION[_TEXT_UNDER_OLD_NAMES[extension]]
    if declared is None and not extension and _is_text(beginning):
        return _PLAIN_TEXT  # README, LICENSE
    return declared


def _by_content_type(content_type: str | None) -> Kind | None:
    bare = (content_type or "").partition(";")[0].strip().lower()
    return BY_CONTENT_TYPE.get(bare) or (_PLAIN_TEXT if bare.startswith("text/") else None)


def _by_magic(content: Readable, beginning: bytes, declared: Kind | None) -> Kind | None:
    # A text may speak of PDF and show its header; only a text that begins with one is a misnamed PDF.
    reach = len(_PDF_HEADER) if declared is not None and declared.is_text else _PDF_HEADER_REACH
    if beginning.find(_PDF_HEADER, 0, reach) >= 0:
        return BY_EXTENSION[".pdf"]
    if beginning.startswith((OLE_MAGIC, ZIP_MAGIC)):
        return _of_container(content, beginning, declared)
    return BY_EXTENSION[".rtf"] if beginning.startswith(b"{\\rtf") else None


def _of_container(content: Readable, beginning: bytes, declared: Kind | None) -> Kind | None:
    office = office_parser(content)
    if office is not None:
        return BY_EXTENSION[_OFFICE[office]]
    if beginning.startswith(OLE_MAGIC):
        with open_ole(content) as ole:
            return BY_EXTENSION[".msg"] if is_msg(ole) else None
    with open_archive(content) as archive:
        if is_epub(archive):
            return BY_EXTENSION[".epub"]
        is_document = not _MARKS_OF_A_DOCUMENT.isdisjoint(archive.names)
    # A damaged document is what its name says, and fails as that; one of a program that is not known is read as parts.
    return declared if is_document and declared is not None else BY_EXTENSION[".zip"]


def _by_first_lines(beginning: bytes, declared: Kind | None) -> Kind | None:
    may_be_page = declared is None or declared.name not in _NEVER_A_PAGE
    if may_be_page and looks_like_html(beginning):
        return BY_EXTENSION[".html"]
    extension = by_signature(beginning)
    if extension is None:
        return None
    if declared is None or not declared.is_text or extension in _UNDER_ITS_NAME.get(declared.name, frozenset()):
        return BY_EXTENSION[extension]
    return None


def _is_text(beginning: bytes) -> bool:
    survey = ByteSurvey.of([beginning])
    return survey.marked_encoding() is not None or not survey.controls
