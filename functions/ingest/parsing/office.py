"""Which office document a file is, by what its container holds."""

from collections.abc import Callable

from ingest.parsing.archive import Archive, open_archive
from ingest.parsing.doc import parse_doc
from ingest.parsing.document import ParsedDocument
from ingest.parsing.docx import parse_docx
from ingest.parsing.odf_documents import parse_odp, parse_odt
from ingest.parsing.ole import MAGIC, open_ole
from ingest.parsing.opc import Package
from ingest.parsing.ppt import parse_ppt
from ingest.parsing.pptx import parse_pptx
from ingest.parsing.readable import Readable
from ingest.parsing.sheets import parse_sheets

OfficeParser = Callable[[Readable], ParsedDocument]

ZIP_MAGIC = b"PK\x03\x04"

_BY_FOLDER: dict[str, OfficeParser] = {"word": parse_docx, "ppt": parse_pptx, "xl": parse_sheets}
_BY_MIMETYPE: dict[str, OfficeParser] = {"text": parse_odt, "presentation": parse_odp, "spreadsheet": parse_sheets}
_BY_STREAM: dict[str, OfficeParser] = {
    "WordDocument": parse_doc,
    "PowerPoint Document": parse_ppt,
    "Workbook": parse_sheets,
    "Book": parse_sheets,
}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_MAX_MIMETYPE = 200  # bytes


def office_parser(content: Readable) -> OfficeParser | None:
    """The parser of an office document, None for another file, also for another one in a zip file or OLE container.

    Raises ``UnreadableDocument``: encrypted, or corrupt for a damaged container.
    """
    with content.open("rb") as file:
        beginning = file.read(len(MAGIC))
    if beginning == MAGIC:
        with open_ole(content) as ole:
            return next((parser for stream, parser in _BY_STREAM.items() if ole.exists(stream)), None)
    if beginning.startswith(ZIP_MAGIC):
        with open_archive(content) as archive:
            return _parser(archive)
    return None


def _parser(archive: Archive) -> OfficeParser | None:
    if "[Content_Types].xml" in archive:
        folders = (part.partition("/")[0].lower() for part in Package(archive).related("", "officeDocument"))
        return next((_BY_FOLDER[folder] for folder in folders if folder in _BY_FOLDER), None)
    if "mimetype" in archive:
        kind = archive.read("mimetype", most=_MAX_MIMETYPE).decode("ascii", errors="replace").strip()
        name = kind.removeprefix(_OPEN_DOCUMENT).partition("-")[0]  # templates have a suffix
        return _BY_MIMETYPE.get(name)
    return None
