"""What parts of documents may take together."""

from collections.abc import Iterator, Sequence

import pytest

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block, ParsedDocument
from ingest.parsing.parts import MAX_PARTS, MAX_TOTAL_BYTES, Parts


def failing_blocks() -> Iterator[Block]:
    yield Block("read", Place(page=1))
    raise UnreadableDocument(FailureReason.CORRUPT, "the rest is gone")


def of_blocks(blocks: Iterator[Block], skipped: Sequence[str] = ()) -> Parts:
    return Parts(lambda *_: ParsedDocument(blocks, separator="|", skipped=[*skipped]))


def into() -> ParsedDocument:
    return ParsedDocument(iter(()), separator="")


def test_a_part_s_blocks_keep_their_places_and_bring_their_separators() -> None:
    parts = of_blocks(iter([Block("a", Place(page=1)), Block("b", Place(page=2, part="inner"))]), skipped=["page 3"])
    document = into()
    blocks = list(parts.blocks(bytes, name="outer", content_type=None, into=document))
    assert blocks == [
        Block("a|", Place(page=1, part="outer")),
        Block("b|", Place(page=2, part="outer/inner")),
        Block("\n\n", Place(page=2, part="outer/inner")),
    ]
    assert document.skipped == ["outer: page 3"]


def test_a_part_that_fails_halfway_keeps_its_beginning_and_is_named() -> None:
    document = into()
    texts = [
        block.text for block in of_blocks(failing_blocks()).blocks(bytes, name="a", content_type=None, into=document)
    ]
    assert texts == ["read|", "\n\n"]
    assert document.skipped == ["a: it is damaged"]


@pytest.mark.parametrize(
    ("count", "size"), [(MAX_PARTS + 1, 0), (5, MAX_TOTAL_BYTES // 4)], ids=["too many parts", "too many bytes"]
)
def test_all_parts_together_are_bounded(count: int, size: int) -> None:
    document = into()
    parts = of_blocks(iter(()))
    content = bytes(size)
    for _ in range(count):
        assert list(parts.blocks(lambda: content, name="a", content_type=None, into=document)) == []
    assert document.skipped == ["a: it is too large"]
