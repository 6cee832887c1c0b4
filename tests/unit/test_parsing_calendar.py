from ingest.parsing.calendar_text import parse_calendar
from ingest.parsing.readable import InMemory


def texts(*lines: str) -> list[str]:
    blocks = parse_calendar(InMemory("\r\n".join(lines).encode())).blocks
    return [block.text for block in blocks if block.text]


def test_lines_that_were_folded_are_whole_again() -> None:
    assert texts("SUMMARY:Board mee", " ting", "LOCATION:Pier", "\t 7") == ["SUMMARY:Board meeting\nLOCATION:Pier 7"]


def test_what_was_escaped_is_plain() -> None:
    assert texts(r"NOTE:Bread\, milk\; eggs\nand C:\\temp") == ["NOTE:Bread, milk; eggs\nand C:\\temp"]


def test_events_and_contacts_are_blocks_of_their_own() -> None:
    card = ["BEGIN:VCARD", "FN:Ada", "END:VCARD"]
    assert texts(*card, *card) == ["BEGIN:VCARD\nFN:Ada\nEND:VCARD"] * 2


def test_pictures_are_left_out() -> None:
    assert texts("FN:Ada", "PHOTO;ENCODING=b;TYPE=JPEG:AAAA", " BBBB", "TEL:1") == ["FN:Ada\nTEL:1"]
    assert texts("PHOTO:data:image/png;base64,AAAA", "TEL:1") == ["TEL:1"]
