"""The kinds of files that can be read."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.parsing.asciidoc import parse_asciidoc
from ingest.parsing.calendar_text import parse_calendar
from ingest.parsing.delimited import parse_csv, parse_tsv
from ingest.parsing.doc import parse_doc
from ingest.parsing.document import ParsedDocument
from ingest.parsing.docx import parse_docx
from ingest.parsing.eml import parse_eml
from ingest.parsing.epub import parse_epub
from ingest.parsing.html import parse_html
from ingest.parsing.json_text import parse_json, parse_json_lines
from ingest.parsing.markdown import parse_markdown
from ingest.parsing.mbox import parse_mbox
from ingest.parsing.notebook import parse_notebook
from ingest.parsing.odf_documents import parse_odp, parse_odt
from ingest.parsing.outlook import parse_msg
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
    Kind("Markdown", (".md", ".markdown", ".mdx", ".qmd", ".rmd"), ("text/markdown",), _alone(parse_markdown)),
    Kind("HTML", (".html", ".htm", ".xhtml", ".xht"), ("text/html", "application/xhtml+xml"), _alone(parse_html)),
    Kind("PDF", (".pdf",), ("application/pdf",), _alone(parse_pdf), is_text=False),
    Kind(
        "Word", (".docx", ".docm", ".dotx", ".dotm"), (f"{_OFFICE}wordprocessingml.document",), _alone(parse_docx),
        is_text=False,
    ),
    Kind("Word 97", (".doc", ".dot"), ("application/msword",), _alone(parse_doc), is_text=False),
    Kind(
        "PowerPoint", (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"),
        (f"{_OFFICE}presentationml.presentation",), _alone(parse_pptx), is_text=False,
    ),
    Kind(
        "PowerPoint 97", (".ppt", ".pps", ".pot"), ("application/vnd.ms-powerpoint",), _alone(parse_ppt), is_text=False
    ),
    Kind(
        "spreadsheet",
        (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlam", ".xlsb", ".xls", ".xlt", ".xla", ".ods", ".ots"),
        (f"{_OFFICE}spreadsheetml.sheet", "application/vnd.ms-excel", f"{_OPEN}spreadsheet"), _alone(parse_sheets),
        is_text=False,
    ),
    Kind("OpenDocument text", (".odt", ".ott"), (f"{_OPEN}text",), _alone(parse_odt), is_text=False),
    Kind("OpenDocument presentation", (".odp", ".otp"), (f"{_OPEN}presentation",), _alone(parse_odp), is_text=False),
    Kind("RTF", (".rtf",), ("application/rtf", "text/rtf"), _alone(parse_rtf), is_text=False),
    Kind("EPUB", (".epub",), ("application/epub+zip",), _alone(parse_epub), is_text=False),
    Kind("mail", (".eml",), ("message/rfc822",), parse_eml),
    Kind("mailbox", (".mbox", ".mbx"), ("application/mbox",), parse_mbox),
    Kind("Outlook mail", (".msg",), ("application/vnd.ms-outlook",), parse_msg, is_text=False),
    Kind("calendar or contacts", (".ics", ".vcf"), ("text/calendar", "text/vcard"), _alone(parse_calendar)),
    Kind("archive", (".zip",), ("application/zip", "application/x-zip-compressed"), parse_zip, is_text=False),
    Kind("CSV", (".csv",), ("text/csv",), _alone(parse_csv)),
    Kind("TSV", (".tsv", ".tab"), ("text/tab-separated-values",), _alone(parse_tsv)),
    Kind("JSON", (".json", ".geojson"), ("application/json",), _alone(parse_json)),
    Kind("JSON Lines", (".jsonl", ".ndjson"), ("application/jsonl", "application/x-ndjson"), _alone(parse_json_lines)),
    Kind(
        "XML", (".xml", ".nxml", ".rss", ".atom", ".xbrl", ".svg"), ("application/xml", "text/xml", "image/svg+xml"),
        _alone(parse_xml),
    ),
    Kind("notebook", (".ipynb",), ("application/x-ipynb+json",), _alone(parse_notebook)),
    Kind("reStructuredText", (".rst",), ("text/x-rst",), _alone(parse_rst)),
    Kind("AsciiDoc", (".adoc", ".asciidoc"), ("text/asciidoc",), _alone(parse_asciidoc)),
    Kind("TeX", (".tex", ".latex"), ("application/x-tex", "text/x-tex"), _alone(parse_tex)),
    Kind("subtitles", (".vtt", ".srt"), ("text/vtt", "application/x-subrip"), _alone(parse_subtitles)),
    Kind("source code", (
        ".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".go", ".rs", ".rb", ".php", ".sh",
        ".bash", ".ps1", ".bat", ".sql", ".kt", ".kts", ".groovy", ".gradle", ".swift", ".dart", ".scala", ".lua",
        ".pl", ".pm", ".r", ".jl", ".ex", ".exs", ".hs", ".vb", ".proto", ".graphql", ".tf", ".css", ".scss", ".less",
    ), (), _alone(parse_code)),
    Kind(
        "source code of C's family", (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".cs", ".java"), (),
        _alone(parse_c_code),
    ),
    Kind(
        "settings", (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties"), ("application/yaml",),
        _alone(parse_settings),
    ),
)  # fmt: skip

BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}
BY_CONTENT_TYPE = {content_type: kind for kind in KINDS for content_type in kind.content_types}
