"""The kinds of files that can be read, and how each is known."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.parsing.archive import open_archive
from ingest.parsing.asciidoc import parse_asciidoc
from ingest.parsing.delimited import parse_csv, parse_tsv
from ingest.parsing.doc import parse_doc
from ingest.parsing.document import ParsedDocument
from ingest.parsing.docx import parse_docx
from ingest.parsing.eml import parse_eml
from ingest.parsing.epub import is_epub, parse_epub
from ingest.parsing.html import looks_like_html, parse_html
from ingest.parsing.json_text import parse_json, parse_json_lines
from ingest.parsing.markdown import parse_markdown
from ingest.parsing.mbox import parse_mbox
from ingest.parsing.notebook import parse_notebook
from ingest.parsing.odf_documents import parse_odp, parse_odt
from ingest.parsing.office import ZIP_MAGIC, office_parser
from ingest.parsing.ole import MAGIC as OLE_MAGIC
from ingest.parsing.ole import open_ole
from ingest.parsing.outlook import is_msg, parse_msg
from ingest.parsing.parts import Parts
from ingest.parsing.pdf import parse_pdf
from ingest.parsing.ppt import parse_ppt
from ingest.parsing.pptx import parse_pptx
from ingest.parsing.readable import Readable
from ingest.parsing.rst import parse_rst
from ingest.parsing.rtf import parse_rtf
from ingest.parsing.sheets import parse_sheets
from ingest.parsing.source_code import parse_c_code, parse_code, parse_settings
from ingest.parsing.subtitles import parse_subtitles
from ingest.parsing.tex import parse_tex
from ingest.parsing.text import parse_text
from ingest.parsing.xml_text import parse_xml
from ingest.parsing.zip_archive import parse_zip

Parser = Callable[[Readable, Parts], ParsedDocument]

BEGINNING = 4096
"""Bytes that are enough to know a kind by."""

_PDF_HEADER = b"%PDF-"
_PDF_HEADER_REACH = 1024  # bytes; pdfium too forgives that much before the header


def _alone(parser: Callable[[Readable], ParsedDocument]) -> Parser:
    """A parser of what has no parts."""
    return lambda content, _: parser(content)


@dataclass(frozen=True, slots=True)
class Kind:
    """``is_text``: may be decoded to text, so that another kind of text may hide behind its name."""

    name: str
    extensions: tuple[str, ...]
    content_types: tuple[str, ...]
    parser: Parser
    is_text: bool = True


_OPEN = "application/vnd.oasis.opendocument."
_OFFICE = "application/vnd.openxmlformats-officedocument."

KINDS = (
    Kind("plain text", (".txt", ".text", ".log"), ("text/plain",), _alone(parse_text)),
    Kind("Markdown", (".md", ".markdown"), ("text/markdown",), _alone(parse_markdown)),
    Kind("HTML", (".html", ".htm", ".xhtml"), ("text/html", "application/xhtml+xml"), _alone(parse_html)),
    Kind("PDF", (".pdf",), ("application/pdf",), _alone(parse_pdf), is_text=False),
    Kind(
        "Word", (".docx", ".docm", ".dotx"), (f"{_OFFICE}wordprocessingml.document",), _alone(parse_docx), is_text=False
    ),
    Kind("Word 97", (".doc", ".dot"), ("application/msword",), _alone(parse_doc), is_text=False),
    Kind(
        "PowerPoint", (".pptx", ".pptm", ".ppsx"), (f"{_OFFICE}presentationml.presentation",), _alone(parse_pptx),
        is_text=False,
    ),
    Kind("PowerPoint 97", (".ppt", ".pps"), ("application/vnd.ms-powerpoint",), _alone(parse_ppt), is_text=False),
    Kind(
        "spreadsheet", (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"),
        (f"{_OFFICE}spreadsheetml.sheet", "application/vnd.ms-excel", f"{_OPEN}spreadsheet"), _alone(parse_sheets),
        is_text=False,
    ),
    Kind("OpenDocument text", (".odt", ".ott"), (f"{_OPEN}text",), _alone(parse_odt), is_text=False),
    Kind("OpenDocument presentation", (".odp",), (f"{_OPEN}presentation",), _alone(parse_odp), is_text=False),
    Kind("RTF", (".rtf",), ("application/rtf", "text/rtf"), _alone(parse_rtf), is_text=False),
    Kind("EPUB", (".epub",), ("application/epub+zip",), _alone(parse_epub), is_text=False),
    Kind("mail", (".eml",), ("message/rfc822",), parse_eml),
    Kind("mailbox", (".mbox", ".mbx"), ("application/mbox",), parse_mbox),
    Kind("Outlook mail", (".msg",), ("application/vnd.ms-outlook",), parse_msg, is_text=False),
    Kind("archive", (".zip",), ("application/zip", "application/x-zip-compressed"), parse_zip, is_text=False),
    Kind("CSV", (".csv",), ("text/csv",), _alone(parse_csv)),
    Kind("TSV", (".tsv", ".tab"), ("text/tab-separated-values",), _alone(parse_tsv)),
    Kind("JSON", (".json",), ("application/json",), _alone(parse_json)),
    Kind("JSON Lines", (".jsonl", ".ndjson"), ("application/jsonl", "application/x-ndjson"), _alone(parse_json_lines)),
    Kind("XML", (".xml", ".nxml", ".rss", ".atom", ".xbrl"), ("application/xml", "text/xml"), _alone(parse_xml)),
    Kind("notebook", (".ipynb",), ("application/x-ipynb+json",), _alone(parse_notebook)),
    Kind("reStructuredText", (".rst",), ("text/x-rst",), _alone(parse_rst)),
    Kind("AsciiDoc", (".adoc", ".asciidoc"), ("text/asciidoc",), _alone(parse_asciidoc)),
    Kind("TeX", (".tex", ".latex"), ("application/x-tex", "text/x-tex"), _alone(parse_tex)),
    Kind("subtitles", (".vtt", ".srt"), ("text/vtt", "application/x-subrip"), _alone(parse_subtitles)),
    Kind("source code", (
        ".py", ".js", ".mjs", ".jsx", ".ts", ".tsx", ".go", ".rs", ".rb", ".php", ".sh", ".bash", ".sql", ".kt",
        ".swift", ".scala", ".lua", ".pl", ".r", ".css", ".scss",
    ), (), _alone(parse_code)),
    Kind("source code of C's family", (".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".java"), (), _alone(parse_c_code)),
    Kind(
        "settings", (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties"), ("application/yaml",),
        _alone(parse_settings),
    ),
)  # fmt: skip

BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}
BY_CONTENT_TYPE = {content_type: kind for kind in KINDS for content_type in kind.content_types}


def parser_for(content: Readable, beginning: bytes, extension: str, content_type: str | None) -> Parser | None:
    """By what the content, else the name's extension, else the content type says; None for a kind that is not read.

    Raises ``UnreadableDocument`` for a container that is encrypted or damaged.
    """
    declared = BY_EXTENSION.get(extension) or BY_CONTENT_TYPE.get(_bare(content_type))
    return _sniffed(content, beginning, declared) or (declared.parser if declared else None)


def _sniffed(content: Readable, beginning: bytes, declared: Kind | None) -> Parser | None:
    # A text may speak of PDF and show its header; only a text that begins with one is a misnamed PDF.
    reach = len(_PDF_HEADER) if declared is not None and declared.is_text else _PDF_HEADER_REACH
    if beginning.find(_PDF_HEADER, 0, reach) >= 0:
        return _alone(parse_pdf)
    if beginning.startswith((OLE_MAGIC, ZIP_MAGIC)):
        return _of_container(content, beginning)
    if beginning.startswith(b"{\\rtf"):
        return _alone(parse_rtf)
    # A mail or an e-book's chapter may begin with a page; what is declared as one of them is one.
    may_be_page = declared is None or declared.parser in _TAKEN_FOR_HTML
    return BY_EXTENSION[".html"].parser if may_be_page and looks_like_html(beginning) else None


def _of_container(content: Readable, beginning: bytes) -> Parser | None:
    office = office_parser(content)
    if office is not None:
        return _alone(office)
    if beginning.startswith(OLE_MAGIC):
        with open_ole(content) as ole:
            return parse_msg if is_msg(ole) else None
    with open_archive(content) as archive:
        return _alone(parse_epub) if is_epub(archive) else parse_zip


# A page saved under a text's, a document's or a sheet's name, as web applications deliver their exports.
_TAKEN_FOR_HTML = {kind.parser for kind in KINDS if kind.name not in {"mail", "mailbox", "XML", "source code"}}


def _bare(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()
