from bucketwise.models import Place, PlaceMark
from ingest.parsing.document import Block, ParsedDocument

FIRST, SECOND = Place(page=1), Place(page=2)


def test_marks_point_at_the_blocks_and_neighbours_of_one_place_share_theirs() -> None:
    blocks = [
        Block("größe", FIRST),
        Block("b", FIRST),
        Block("", Place(page=9)),
        Block("👩", SECOND),
        Block("c", FIRST),
    ]
    document = ParsedDocument.from_blocks(blocks, separator="\n\n")
    assert document.text == "größe\n\nb\n\n👩\n\nc"
    assert document.marks == (PlaceMark(0, FIRST), PlaceMark(10, SECOND), PlaceMark(13, FIRST))


def test_a_document_without_text_still_has_a_place() -> None:
    assert ParsedDocument.from_blocks([], separator="") == ParsedDocument(None, "", (PlaceMark(0, Place()),))
