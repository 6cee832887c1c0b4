"""EPUB books: their chapters in reading order, each read as the page that it is."""

from collections.abc import Iterator
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import Archive, corrupt, open_archive
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.html import decode_html, html_document
from ingest.parsing.parts import part_name, skip, why
from ingest.parsing.properties import believed
from ingest.parsing.readable import Readable
from ingest.parsing.sections import or_needs_ocr
from ingest.parsing.xml_elements import attribute, child, local, read_element

_CONTAINER = "META-INF/container.xml"

_MAX_CHAPTER_BYTES = 64 << 20
_MAX_PACKAGE_BYTES = 32 << 20  # of the list of all chapters, and of other files about the book
_ENCRYPTION = "META-INF/encryption.xml"
_OBFUSCATED = "http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"  # fonts, not texts
_PAGES = (".xhtml", ".html", ".htm", ".xml")


def is_epub(archive: Archive) -> bool:
    """Whatever its first member is."""
    return _CONTAINER in archive


def parse_epub(content: Readable) -> ParsedDocument:
    """Chapters by the book's spine, each once. Chapters that are missing or damaged are named as skipped.

    Raises ``UnreadableDocument``: corrupt, encrypted, too_large or too_complex.
    """
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(content, parsed)
    return parsed


def _blocks(content: Readable, parsed: ParsedDocument) -> Iterator[Block]:
    with open_archive(content) as archive:
        path = _package_path(archive)
        package = _element(archive, path)
        _read_properties(package, parsed)
        chapters = _chapters(package, dirname(path))
        _refuse_encrypted(archive, chapters)
        yield from or_needs_ocr(_chapter_blocks(archive, chapters, parsed), archive.names)


def _chapter_blocks(archive: Archive, chapters: list[str], parsed: ParsedDocument) -> Iterator[Block]:
    is_any = False
    for chapter in chapters:
        try:
            page = decode_html(archive.read(chapter, most=_MAX_CHAPTER_BYTES))
        except UnreadableDocument as problem:
            skip(parsed, f"{part_name(chapter)}: {why(problem)}")
            continue
        is_any = True
        yield from html_document(page).blocks
    if not is_any:
        raise corrupt()


def _package_path(archive: Archive) -> str:
    """Of the file that lists the book's contents."""
    if _CONTAINER in archive:
        for element in _element(archive, _CONTAINER).iter():
            if local(element) == "rootfile" and (path := attribute(element, "full-path")):
                return path
    path = next((name for name in archive.names if name.lower().endswith(".opf")), None)
    if path is None:
        raise corrupt()
    return path


def _element(archive: Archive, name: str) -> Element:
    with archive.open(name, most=_MAX_PACKAGE_BYTES) as stream:
        return read_element(stream)


def _read_properties(package: Element, parsed: ParsedDocument) -> None:
    found: dict[str, list[str]] = {}
    for element in child(package, "metadata") or ():
        for stated in (element, *element):  # older books have one level more
            if stated.text and stated.text.strip():
                found.setdefault(local(stated), []).append(stated.text.strip())
    believed(
        title=found.get("title", [None])[0],
        author=", ".join(found.get("creator", [])),
        created=found.get("date", [None])[0],
        modified=None,
    ).write_to(parsed)


def _chapters(package: Element, folder: str) -> list[str]:
    """The paths of the pages in reading order; of those that occur again, the first."""
    pages: dict[str, str] = {}
    for item in child(package, "manifest") or ():
        href = unquote((attribute(item, "href") or "").partition("#")[0])
        path = normpath(join(folder, href))
        if "html" in (attribute(item, "media-type") or "") or path.lower().endswith(_PAGES):
            pages[attribute(item, "id") or path] = path
    spine = [attribute(item, "idref") or "" for item in child(package, "spine") or ()]
    return list(dict.fromkeys(pages[name] for name in spine if name in pages)) or list(dict.fromkeys(pages.values()))


def _refuse_encrypted(archive: Archive, chapters: list[str]) -> None:
    if _ENCRYPTION not in archive:
        return
    sealed = set()
    for data in _element(archive, _ENCRYPTION).iter():
        if local(data) != "EncryptedData":
            continue
        method = child(data, "EncryptionMethod")
        reference = child(data, "CipherData", "CipherReference")
        if reference is not None and (method is None or attribute(method, "Algorithm") not in _OBFUSCATED):
            sealed.add(normpath(unquote(attribute(reference, "URI") or "")))
    if sealed.intersection(chapters):
        raise UnreadableDocument(
            FailureReason.ENCRYPTED, "The book is protected against copying. Upload an edition without protection."
        )
