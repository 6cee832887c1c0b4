"""Word and PowerPoint files of 1997 to 2003, and which office document a container holds."""

import struct
from collections.abc import Sequence

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.doc import parse_doc
from ingest.parsing.docx import parse_docx
from ingest.parsing.odf_documents import parse_odp, parse_odt
from ingest.parsing.office import office_parser
from ingest.parsing.ole import MAGIC
from ingest.parsing.ppt import parse_ppt
from ingest.parsing.pptx import parse_pptx
from ingest.parsing.readable import InMemory
from ingest.parsing.sheets import parse_sheets
from tests.unit.make_office import docx, odf, ole, package, pptx, read, text_of, xlsx, zipped

TEXT_START = 0x800
TICKS = 133485408000000000  # 2024-01-01 in units of 100 ns since 1601


def summary(*, title: bytes) -> bytes:
    """The stream SummaryInformation with a code page, a title and a time of making."""
    values = {
        1: struct.pack("<IHH", 2, 1252, 0),
        2: struct.pack("<2I", 0x1E, len(title)) + title,
        12: struct.pack("<IQ", 0x40, TICKS),
    }
    places, body = b"", b""
    for identifier, value in values.items():
        places += struct.pack("<2I", identifier, 8 + 8 * len(values) + len(body))
        body += value
    return bytes(44) + struct.pack("<I", 48) + struct.pack("<2I", 0, len(values)) + places + body


def doc(*stories: str, latin: int = 0, flags: int = 0, magic: int = 0xA5EC, clx: bytes | None = None) -> bytes:
    """Up to eight stories, the main text first; the first ``latin`` characters are saved in a piece of 8 bits."""
    text = "".join(stories)
    first, rest = text[:latin].encode("cp1252"), text[latin:].encode("utf-16-le")
    rest_start = TEXT_START + len(first)
    pieces = struct.pack("<3I", 0, latin, len(text))
    pieces += struct.pack("<HIH", 0, TEXT_START * 2 | 1 << 30, 0) + struct.pack("<HIH", 0, rest_start, 0)
    formatting = struct.pack("<BH", 1, 3) + b"xyz"
    clx = formatting + struct.pack("<BI", 2, len(pieces)) + pieces if clx is None else clx
    word = bytearray(TEXT_START)
    struct.pack_into("<H8xH", word, 0, magic, flags)
    struct.pack_into("<8I", word, 0x4C, *(len(story) for story in stories), *[0] * (8 - len(stories)))
    struct.pack_into("<2I", word, 0x1A2, 0, len(clx))
    table = "1Table" if flags & 0x200 else "0Table"
    return ole(
        {"WordDocument": bytes(word) + first + rest, table: clx, "\x05SummaryInformation": summary(title=b"Leave\xe9")}
    )


def record(kind: int, *content: bytes, instance: int = 0, container: bool = False) -> bytes:
    body = b"".join(content)
    return struct.pack("<2HI", instance << 4 | (0xF if container else 0), kind, len(body)) + body


def texts(*found: tuple[int, str]) -> bytes:
    """Of a slide: (type of text, text), as 16-bit characters unless they are ASCII."""
    return b"".join(
        record(0x0F9F, struct.pack("<I", kind))
        + (record(0x0FA8, text.encode()) if text.isascii() else record(0x0FA0, text.encode("utf-16-le")))
        for kind, text in found
    )


def ppt(slides: Sequence[int] = (2,), *, token: int = 0xE391C05F, document: int = 1, last: bytes = b"") -> bytes:
    """Objects 1: the document; 2: a slide with notes (3). The slides listed are of these numbers."""
    notes_list = record(0x0FF0, record(0x03F3, struct.pack("<5I", 3, 0, 0, 77, 0)), instance=2, container=True)
    outline = texts((0, "Plan"), (1, "first\rsecond"))
    slide_list = b"".join(record(0x03F3, struct.pack("<5I", n, 0, 0, 256 + n, 0)) + outline for n in slides)
    drawing = record(0x040C, record(0xF00D, texts((4, "größe")), container=True), container=True)
    objects = [
        record(0x03E8, record(0x0FF0, slide_list, container=True), notes_list, container=True),
        record(0x03EE, record(0x03EF, bytes(16), struct.pack("<2I", 77, 0)), drawing, last, container=True),
        record(0x03F0, record(0xF00D, texts((2, "say it"), (4, "12")), container=True), container=True),
    ]
    offsets, stream = [], b""
    for each in objects:
        offsets.append(len(stream))
        stream += each
    directory = len(stream)
    stream += record(0x1772, struct.pack("<4I", len(objects) << 20 | 1, *offsets))
    edit = len(stream)
    stream += record(0x0FF5, struct.pack("<7I", 0, 0, 0, directory, document, 0, 0))
    user = record(0x0FF6, struct.pack("<3I", 20, token, edit))
    return ole({"PowerPoint Document": stream, "Current User": user})


def reason(content: bytes) -> FailureReason:
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    return caught.value.reason


@pytest.mark.parametrize("flags", [0, 0x200])
def test_a_word_document_is_read_from_its_pieces(flags: int) -> None:
    assert text_of(doc("Café\rnaïve – ж\r", latin=5, flags=flags)) == "Café\n\nnaïve – ж"


def test_of_fields_the_result_is_read_and_of_tables_the_rows() -> None:
    link = '\x13 HYPERLINK "\x13 X \x14y\x15" \x14here\x15'
    assert text_of(doc(f"See {link}\x0bnow\x1e\x1f.\ra\x07b\x07\x07c\x07d\x07\x07")) == (
        "See here\n\nnow-.\n\na | b\n\nc | d"
    )


def test_notes_and_headers_follow_the_main_text_and_comments_are_left_out() -> None:
    stories = ("main\r", "note\r", "Secret\r1\rSecret\r", "macro\r", "comment\r", "endnote\r", "box\r", "header box\r")
    assert text_of(doc(*stories)) == "main\n\nnote\n\nendnote\n\nbox\n\nSecret"


def test_metadata_of_a_container_are_read() -> None:
    _, document = read(doc("x\r"))
    assert (document.title, document.created) == ("Leaveé", "2024-01-01T00:00:00+00:00")


def test_encrypted_documents_and_those_of_older_programs_say_so() -> None:
    assert reason(doc("x", flags=0x100)) is FailureReason.ENCRYPTED
    assert reason(doc("x", magic=0xA5DC)) is FailureReason.UNSUPPORTED
    assert reason(ppt(token=0xF3D1C4DF)) is FailureReason.ENCRYPTED


@pytest.mark.parametrize(
    "clx",
    [
        b"",
        b"\x03",
        struct.pack("<BI", 2, 0xFFFFFFFF),
        struct.pack("<BI2IHIH", 2, 16, 0, 1 << 30, 0, 0, 0),
        struct.pack("<BI3I", 2, 28, 5, 3, 9) + bytes(16),
    ],
)
def test_a_document_with_impossible_pieces_is_corrupt(clx: bytes) -> None:
    assert reason(doc("x", clx=clx)) is FailureReason.CORRUPT


def test_fields_nested_without_end_are_corrupt() -> None:
    assert reason(doc("\x13x" * 200)) is FailureReason.CORRUPT


def test_slides_of_powerpoint_97_come_with_their_notes() -> None:
    (block,), document = read(ppt())
    assert block.text == "# Plan\n\nfirst\nsecond\n\ngröße\n\nNotes: say it"
    assert block.place == Place(slide=1, heading=("Plan",))
    assert document.title == "Plan"


def test_a_slide_of_powerpoint_97_that_is_listed_again_is_not_repeated() -> None:
    assert len(read(ppt([2] * 1_000))[0]) == 1


def test_a_damaged_presentation_of_powerpoint_97_is_corrupt() -> None:
    assert reason(ppt(document=9)) is FailureReason.CORRUPT
    assert reason(ppt(document=2)) is FailureReason.CORRUPT
    assert reason(ppt([8])) is FailureReason.CORRUPT
    assert reason(ole({"PowerPoint Document": b"", "Current User": b""})) is FailureReason.CORRUPT
    assert reason(ole({"PowerPoint Document": b""})) is FailureReason.CORRUPT


def test_containers_within_containers_end_somewhere() -> None:
    deep = b""
    for _ in range(3_000):
        deep = record(0xF003, deep, container=True)
    assert read(ppt(last=deep))[0]


def test_the_container_s_content_tells_the_kind_of_document() -> None:
    kinds = {
        parse_docx: docx(""),
        parse_pptx: pptx({}),
        parse_sheets: xlsx({}),
        parse_odt: odf("text", ""),
        parse_odp: zipped({"mimetype": "application/vnd.oasis.opendocument.presentation-template\n"}),
        parse_doc: doc("x"),
        parse_ppt: ppt(),
    }
    assert [office_parser(InMemory(content)) for content in kinds.values()] == list(kinds)
    assert office_parser(InMemory(odf("spreadsheet", ""))) is parse_sheets
    assert office_parser(InMemory(ole({"Book": b""}))) is parse_sheets


@pytest.mark.parametrize(
    "content",
    [
        b"PK is not zip",
        zipped({"a.docx": "x"}),
        zipped({"mimetype": "application/epub+zip"}),
        package("Documents/1/FixedDoc.fdoc", {"Documents/1/FixedDoc.fdoc": "<x/>"}),
        ole({"__properties_version1.0": b""}),
    ],
)
def test_other_files_and_containers_are_no_office_documents(content: bytes) -> None:
    assert office_parser(InMemory(content)) is None


@pytest.mark.parametrize("content", [MAGIC, MAGIC + bytes(600), doc("x")[:600]])
def test_a_damaged_container_is_corrupt(content: bytes) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        office_parser(InMemory(content))
    assert caught.value.reason is FailureReason.CORRUPT
