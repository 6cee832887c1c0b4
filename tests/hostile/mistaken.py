"""Files under another kind's name, and pieces of files."""

from collections.abc import Iterator

from tests.hostile.case import INDEXED, PARTIAL, HostileFile, hostile
from tests.hostile.samples import SAMPLES
from tests.unit.make_office import docx, paragraph, zipped
from tests.unit.make_pdf import make_pdf

TEXT = "The ferry leaves at noon from the pier."
NAMES = (
    "a.pdf",
    "a.docx",
    "a.xlsx",
    "a.pptx",
    "a.odt",
    "a.epub",
    "a.rtf",
    "a.msg",
    "a.zip",
    "a.doc",
    "a.eml",
    "a.html",
)
ANY_END = (
    INDEXED, PARTIAL, "unsupported", "empty", "encrypted", "corrupt", "needs_ocr", "too_large", "too_complex",
)  # fmt: skip


def files() -> Iterator[HostileFile]:
    """The states of what is only damaged are free: that it ends in one, and takes nothing along, is what is asked."""
    for name in NAMES:
        states = (INDEXED, "corrupt", "unsupported", "empty")
        yield hostile(f"text-as-{name[2:]}.{name[2:]}", TEXT, *states)
    yield hostile("pdf-as-docx.docx", make_pdf([[TEXT]]), INDEXED)
    yield hostile("docx-as-pdf.pdf", docx(paragraph(TEXT)), INDEXED)
    yield hostile("pdf-as-text.txt", make_pdf([[TEXT]]), INDEXED)
    yield hostile("zip-as-csv.csv", zipped({"a.txt": TEXT}), INDEXED)
    yield hostile("picture-as-text.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 99, "corrupt", "unsupported")
    yield hostile("program.exe", b"MZ" + bytes(999), "unsupported")
    yield hostile("two-kinds.pdf", make_pdf([[TEXT]]) + zipped({"a.txt": TEXT}), INDEXED)
    for sample in SAMPLES.values():
        stem, _, extension = sample.name.rpartition(".")
        for number, content in enumerate(broken(sample.content)):
            yield hostile(f"{stem}-broken-{number}.{extension}", content, *ANY_END)


def broken(content: bytes) -> Iterator[bytes]:
    """Cut off early and late, without its beginning, with bytes changed, and with a piece of zeros in it."""
    size = len(content)
    yield content[: size * 3 // 10]
    yield content[: size * 9 // 10]
    yield content[size // 2 :]
    flipped = bytearray(content)
    for position in range(7, size, 97):
        flipped[position] ^= 0x55
    yield bytes(flipped)
    yield content[: size // 3] + bytes(size // 4) + content[size // 3 :]
