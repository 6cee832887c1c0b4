"""Mails as they are sent (RFC 5322 and MIME)."""

from collections.abc import Callable
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.html import character_set
from ingest.parsing.mail import Attachment, Mail, better_body, mail_document, stored_body
from ingest.parsing.parts import Parts
from ingest.parsing.readable import Readable
from ingest.parsing.text import clean

MAX_NESTING = 30
"""Of MIME's parts within parts, which one mail of many forwarded ones hardly has."""

_MAX_HEADER = 10_000  # characters; decoding is quadratic
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = ("From", "To", "Cc", "Date")
_PROVE_A_MAIL = ("From", "To", "Subject", "Date", "Received", "Message-ID", "Content-Type", "MIME-Version")
_SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_SEALED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
# What the standard library raises over malformed headers and parameters.
_DAMAGES = (MessageError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)

_Value = TypeVar("_Value")


def parse_eml(content: Readable, parts: Parts) -> ParsedDocument:
    """The text in its plain form if there is one, then the attachments. The mail is held in memory.

    Raises ``UnreadableDocument``: corrupt, encrypted or too_complex.
    """
    return _document(_message(content), parts)


def _document(message: Message, parts: Parts) -> ParsedDocument:
    return mail_document(_mail(message), parts)


def _message(content: Readable) -> Message:
    try:
        with content.open("rb") as file:
            if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
                file.seek(0)
            return BytesParser().parse(file)
    except RecursionError as error:
        raise _too_nested() from error


def _mail(message: Message) -> Mail:
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), value)
    if not any(name.lower() in headers for name in _PROVE_A_MAIL):
        raise _no_mail()
    shown = {name: _decoded(headers.get(name.lower(), "")) for name in _SHOWN}
    mail = Mail(
        subject=_decoded(headers.get("subject", "")),
        sender=shown["From"],
        headers=list(shown.items()),
        created=_iso(shown["Date"]),
    )
    _collect(message, mail, 0)
    return mail


def _collect(message: Message, mail: Mail, depth: int) -> None:
    """Read the message or part of one into the mail's body and attachments."""
    if depth > MAX_NESTING:
        raise _too_nested()
    kind = message.get_content_type()
    children = _children(message)
    if kind in _SEALED:
        if not depth:
            raise UnreadableDocument(FailureReason.ENCRYPTED, "The mail is encrypted. Save it decrypted.")
        mail.skipped.append("a part that is encrypted: it needs a key")
    elif kind == "multipart/alternative" and children:
        _collect_alternatives(children, mail, depth)
    elif kind.startswith("multipart/") and children:
        for child in children:
            _collect(child, mail, depth + 1)
    elif kind == "message/rfc822" and children:
        name = (
            _filename(message) or _decoded(children[0].get("Subject", "")) or f"attachment {len(mail.attachments) + 1}"
        )
        mail.attachments.append(Attachment(name, None, parse=partial(_document, children[0])))
    elif _is_body(message, kind):
        mail.body.extend(_body(message, kind))
    elif not _is_decoration(message, kind):
        name = _filename(message) or f"attachment {len(mail.attachments) + 1}"
        mail.attachments.append(Attachment(name, kind, partial(_payload, message)))


def _collect_alternatives(children: list[Message], mail: Mail, depth: int) -> None:
    """One of the texts, and the attachments of all: some programs attach to the HTML alone."""
    plain: list[Block] = []
    rich: list[Block] = []
    for child in children:
        read = Mail()
        _collect(child, read, depth + 1)
        if child.get_content_type() == "text/plain":
            plain.extend(read.body)
        else:
            rich = read.body or rich
        if child.get_content_type() != "text/calendar":
            mail.attachments.extend(read.attachments)
        mail.skipped.extend(read.skipped)
    mail.body.extend(better_body(plain, rich))


def _children(message: Message) -> list[Message]:
    payload = message.get_payload() if message.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)]


def _is_body(message: Message, kind: str) -> bool:
    if message.get_content_disposition() == "attachment" or _filename(message):
        return False
    return kind in {"text/plain", "text/html"} or kind.startswith(("multipart/", "message/"))


def _is_decoration(message: Message, kind: str) -> bool:
    """Signatures, and pictures that belong to the text."""
    if kind in _SIGNATURES:
        return True
    is_inline = message.get_content_disposition() == "inline" or "Content-ID" in message
    return kind.startswith("image/") and is_inline


def _body(message: Message, kind: str) -> list[Block]:
    name = _quietly(lambda: message.get_content_charset())
    return stored_body(_payload(message), is_html=kind == "text/html", encoding=character_set(name or ""))


def _payload(message: Message) -> bytes:
    """The bytes; of a report about a delivery, which is headers within headers, those as lines."""
    if children := _children(message):
        lines = (f"{name}: {_decoded(value)}" for child in children for name, value in child.raw_items())
        return "\n".join(lines).encode()
    content = _quietly(lambda: message.get_payload(decode=True))
    return content if isinstance(content, bytes) else b""


def _filename(message: Message) -> str:
    name = _quietly(lambda: message.get_filename())
    return _decoded(name) if name else ""


def _decoded(header: str) -> str:
    """A header's text: encoded words, or bytes that should have been encoded."""
    raw = str(header)[:_MAX_HEADER].encode("utf-8", errors="surrogateescape")
    text = raw.decode("utf-8" if ByteSurvey.of([raw]).is_utf8 else "cp1252", errors="replace")
    words = _quietly(lambda: decode_header(text)) or [(text, None)]
    return clean("".join(_word(word, encoding) for word, encoding in words))


def _word(word: str | bytes, encoding: str | None) -> str:
    if isinstance(word, str):
        return word
    if encoding is None:
        return word.decode("raw-unicode-escape", errors="replace")
    return word.decode(character_set(encoding) or "utf-8", errors="replace")


def _iso(date: str) -> str | None:
    moment = _quietly(lambda: parsedate_to_datetime(date)) if date else None
    return moment.isoformat() if moment else None


def _quietly(read: Callable[[], _Value]) -> _Value | None:
    """What the standard library reads, or None where it fails over what is malformed."""
    try:
        return read()
    except _DAMAGES:
        return None


def _no_mail() -> UnreadableDocument:
    return UnreadableDocument(FailureReason.CORRUPT, "The file holds no mail. Save the mail from its program again.")


def _too_nested() -> UnreadableDocument:
    return UnreadableDocument(
        FailureReason.TOO_COMPLEX,
        f"The mail has parts more than {MAX_NESTING} deep in one another. Forward less of it.",
    )
