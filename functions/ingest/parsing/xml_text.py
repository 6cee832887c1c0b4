"""XML of any kind, read as a stream: texts as paragraphs, short values behind their names, titles as headings."""

import re
from collections.abc import Iterator
from html.entities import name2codepoint
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason
from ingest.parsing.archive import corrupt
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.encoding import ByteSurvey
from ingest.parsing.html import character_set
from ingest.parsing.readable import Readable
from ingest.parsing.text import TextFile, byte_pieces
from ingest.parsing.xml_walk import XmlWalk

_PIECE = 1 << 22  # characters; expat before 2.6 begins anew with every piece of a token, so there had better be few
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w:.-]{1,40})""")
_ENTITIES = {name: chr(code) for name, code in name2codepoint.items()}


def parse_xml(content: Readable) -> ParsedDocument:
    """Blocks below the titles that stand above them. The title is the first one.

    Raises ``UnreadableDocument``: corrupt, unsupported for a document that defines entities, or too_complex.
    """
    survey = ByteSurvey.of(byte_pieces(content))
    text = TextFile(content, survey.marked_encoding() or _declared(survey) or survey.encoding(), survey.most_utf8_bytes)
    parsed = ParsedDocument(iter(()), separator="\n\n", markdown=True)
    parsed.blocks = _blocks(text, parsed)
    return parsed


def _declared(survey: ByteSurvey) -> str | None:
    survey.refuse_binary()
    found = _ENCODING.match(survey.beginning.lstrip())
    return character_set(found[1].decode()) if found else None


def _blocks(text: TextFile, parsed: ParsedDocument) -> Iterator[Block]:
    walk = XmlWalk()
    parser = DefusedXMLParser(target=walk)
    parser.entity.update(_ENTITIES)
    try:
        for piece in _large(text.pieces()):
            parser.feed(piece)
            yield from walk.complete()
        parser.close()
    except ParseError as error:
        raise corrupt() from error
    except DefusedXmlException as error:
        raise UnreadableDocument(
            FailureReason.UNSUPPORTED,
            "The XML defines entities of its own or refers to other files, which is not read. Save it without.",
        ) from error
    yield from walk.complete()
    parsed.title = walk.title


def _large(pieces: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
