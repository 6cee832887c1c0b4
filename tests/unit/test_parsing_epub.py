"""EPUB books."""

import io
import zipfile

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.archive import open_archive
from ingest.parsing.epub import is_epub, parse_epub
from ingest.parsing.readable import InMemory
from tests.unit.parsed_parts import read, refusal

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
SEALED = (
    '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
    '<enc:EncryptionMethod Algorithm="{algorithm}"/>'
    '<enc:CipherData><enc:CipherReference URI="{path}"/></enc:CipherData></enc:EncryptedData></encryption>'
)


def package(spine: list[str]) -> str:
    items = "".join(
        f'<item id="{name}" href="{name}%20one.xhtml" media-type="application/xhtml+xml"/>' for name in ("a", "b", "c")
    )
    refs = "".join(f'<itemref idref="{name}"/>' for name in spine)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        "<dc:title>On Tides</dc:title><dc:creator>Ann B</dc:creator><dc:creator>Bob C</dc:creator>"
        f"<dc:date>2021-03-04</dc:date></metadata><manifest>{items}</manifest><spine>{refs}</spine></package>"
    )


def page(title: str, text: str) -> str:
    return f"<html><head><title/></head><body><h1>{title}</h1><a id='x'/><p>{text}</p></body></html>"


def make_epub(spine: list[str], **changes: str | None) -> bytes:
    """``changes`` replace files, or take them out."""
    files: dict[str, str | None] = {
        "OPS/c one.xhtml": page("Last", "never in the spine"),
        "OPS/b one.xhtml": page("Neaps", "low"),
        "META-INF/container.xml": CONTAINER,
        "mimetype": "application/epub+zip",
        "OPS/book.opf": package(spine),
        "OPS/a one.xhtml": page("Springs", "high"),
        **changes,
    }
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in files.items():
            if content is not None:
                archive.writestr(name, content)
    return stored.getvalue()


def test_chapters_come_in_the_spine_s_order() -> None:
    reading = read(parse_epub, make_epub(["a", "b"]))
    assert reading.text == "# Springs\n\nhigh\n\n# Neaps\n\nlow"
    assert reading.headings == [("Springs",), ("Neaps",)]
    document = reading.document
    assert (document.title, document.author, document.created) == (
        "On Tides",
        "Ann B, Bob C",
        "2021-03-04T00:00:00+00:00",
    )


def test_a_chapter_that_is_in_the_spine_50_000_times_is_read_once() -> None:
    assert read(parse_epub, make_epub(["a"] * 50_000)).text == "# Springs\n\nhigh"


def test_without_a_spine_all_pages_are_read() -> None:
    assert len(read(parse_epub, make_epub([])).headings) == 3


def test_a_book_is_known_by_its_container_and_found_without_it() -> None:
    with open_archive(InMemory(make_epub(["a"]))) as archive:
        assert is_epub(archive)
    content = make_epub(["a"], **{"META-INF/container.xml": None})
    with open_archive(InMemory(content)) as archive:
        assert not is_epub(archive)
    assert "high" in read(parse_epub, content).text


def test_a_missing_chapter_is_named() -> None:
    reading = read(parse_epub, make_epub(["a", "b"], **{"OPS/a one.xhtml": None}))
    assert reading.headings == [("Neaps",)]
    assert reading.document.skipped == ["OPS/a one.xhtml: it is damaged"]


def test_a_protected_book_is_named_so_and_hidden_fonts_are_no_protection() -> None:
    def sealed(algorithm: str, path: str) -> bytes:
        return make_epub(["a"], **{"META-INF/encryption.xml": SEALED.format(algorithm=algorithm, path=path)})

    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    assert refusal(parse_epub, sealed(aes, "OPS/a%20one.xhtml")) is FailureReason.ENCRYPTED
    assert "high" in read(parse_epub, sealed(aes, "OPS/font.otf")).text
    assert "high" in read(parse_epub, sealed("http://www.idpf.org/2008/embedding", "OPS/a%20one.xhtml")).text


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04",
        make_epub(["a"], **{"OPS/book.opf": None}),
        make_epub(["a"], **{"OPS/book.opf": "<package>"}),
        make_epub(["a"], **{"OPS/a one.xhtml": None}),
        make_epub(["a"], **{"OPS/book.opf": "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"}),
    ],
)
def test_a_broken_book_is_refused(content: bytes) -> None:
    assert refusal(parse_epub, content) is FailureReason.CORRUPT


def test_a_book_of_pictures_needs_text_recognition() -> None:
    comic = make_epub(["a"], **{"OPS/a one.xhtml": "<html><body><img src='1.jpg'/></body></html>", "OPS/1.jpg": "."})
    assert refusal(parse_epub, comic) is FailureReason.NEEDS_OCR
