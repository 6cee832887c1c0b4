"""A mail, in whatever form it is stored: who wrote what to whom and when, its text, and its attachments."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bucketwise.errors import UnreadableDocument
from bucketwise.models import Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.html import decode_html, html_document
from ingest.parsing.markup import heading
from ingest.parsing.parts import Parts, part_name, skip
from ingest.parsing.properties import believed
from ingest.parsing.tables import one_line
from ingest.parsing.text import clean

MAX_ATTACHMENTS = 1000
"""Of one mail, that are looked at."""

_MAX_SUBJECT = 300  # characters
_MAX_HEADER = 2000
_MAX_NAMED = 20  # attachments, in the mail's own text
_BLOCK_CHARACTERS = 1 << 16
_STUB_SHARE = 5  # a plain text so many times shorter than the HTML only says that there is HTML


@dataclass(frozen=True, slots=True)
class Attachment:
    """``read`` gives its bytes; a mail that is attached has ``parse`` instead."""

    name: str
    content_type: str | None
    read: Callable[[], bytes] = bytes
    parse: Callable[[Parts], ParsedDocument] | None = None


@dataclass(slots=True)
class Mail:
    """``headers`` are shown in order, by their names. ``created`` is ISO 8601. ``body`` stands below no heading yet."""

    subject: str = ""
    sender: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    created: str | None = None
    body: list[Block] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def mail_document(mail: Mail, parts: Parts) -> ParsedDocument:
    """The headers and the text below the subject, then each attachment at its own place."""
    parsed = ParsedDocument(iter(()), separator="", markdown=True)
    parsed.blocks = mail_blocks(mail, parts, parsed)
    return parsed


def mail_blocks(mail: Mail, parts: Parts, parsed: ParsedDocument) -> Iterator[Block]:
    """The blocks of ``parsed``, which is told what the mail says of itself."""
    believed(title=None, author=mail.sender, created=mail.created, modified=None).write_to(parsed)
    parsed.title = one_line(mail.subject)[:_MAX_SUBJECT] or None
    for what in mail.skipped:
        skip(parsed, what)
    subject = (parsed.title,) if parsed.title else ()
    for block in (*_headers(mail, parsed.title), *mail.body):
        place = replace(block.place, heading=(*subject, *block.place.heading))
        yield Block(f"{block.text}\n\n", place)
    for attachment in mail.attachments[:MAX_ATTACHMENTS]:
        if attachment.parse:
            yield from parts.blocks_of(attachment.parse, name=attachment.name, into=parsed)
        else:
            yield from parts.blocks(
                attachment.read, name=attachment.name, content_type=attachment.content_type, into=parsed
            )

    if len(mail.attachments) > MAX_ATTACHMENTS:
        skip(parsed, f"attachments after the first {MAX_ATTACHMENTS:,}: they are too many")


def _headers(mail: Mail, title: str | None) -> Iterator[Block]:
    headers = [*mail.headers]
    names = [part_name(attachment.name) for attachment in mail.attachments[:_MAX_NAMED]]
    if names:
        headers.append(("Attachments", ", ".join(names)))
    lines = [f"{name}: {one_line(value)[:_MAX_HEADER]}" for name, value in headers if value.strip()]
    if title:
        lines.insert(0, f"{heading(1, title)}\n")
    text = "\n".join(lines)
    if text:
        yield Block(text, Place())


def plain_body(text: str) -> list[Block]:
    text = clean(text).strip("\n")
    return [Block(text[start : start + _BLOCK_CHARACTERS], Place()) for start in range(0, len(text), _BLOCK_CHARACTERS)]


def html_body(html: str) -> list[Block]:
    return list(html_document(clean(html)).blocks) if html.strip() else []


def stored_body(content: bytes, *, is_html: bool, encoding: str | None = None) -> list[Block]:
    """Of bytes in ``encoding``; without one, in what they say or look like."""
    try:
        if not encoding and is_html:
            return html_body(decode_html(content))
        encoding = encoding or ByteSurvey.of([content]).encoding()
    except UnreadableDocument:
        encoding = "utf-8"
    text = content.decode(encoding, errors="replace")
    return html_body(text) if is_html else plain_body(text)


def better_body(plain: list[Block], rich: list[Block]) -> list[Block]:
    """The plain text, unless it only stands in for the other."""
    return plain if _size(plain) * _STUB_SHARE > _size(rich) else rich


def _size(blocks: list[Block]) -> int:
    return sum(len(block.text.strip()) for block in blocks)
