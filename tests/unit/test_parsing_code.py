"""Source code, settings and subtitles."""

import pytest

from bucketwise.models import FailureReason
from ingest.parsing.source_code import parse_c_code, parse_code, parse_settings
from ingest.parsing.subtitles import parse_subtitles
from tests.unit.parsed_parts import Parser, read, refusal


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("async def sail(to):", "async def sail"),
        ("class Ferry(Ship):", "class Ferry"),
        ("export default async function sail() {", "export default async function sail"),
        ("public final class Ferry {", "public final class Ferry"),
        ("func (f *Ferry) Sail(to string) error {", "func (f *Ferry) Sail"),
        ("pub(crate) fn sail<T>() {", "pub(crate) fn sail<T>"),
        ("CREATE TABLE IF NOT EXISTS ferries (", "CREATE TABLE IF NOT EXISTS ferries"),
    ],
)
def test_a_definition_is_the_place_of_what_follows(line: str, place: str) -> None:
    content = f"# first\n{line}\n    body\n"
    reading = read(parse_code, content)
    assert reading.text == content
    assert reading.place_of("first").heading == ()
    assert reading.place_of("body").heading == (place,)


def test_functions_in_c_are_places_and_calls_are_not() -> None:
    reading = read(
        parse_c_code, "#include <x>\nstatic int\nsail(int to)\n{\n}\nint main(void) {\n  sail(1);\n}\nif (x) {\n"
    )
    assert reading.headings == [(), ("sail",), ("int main",)]
    assert read(parse_c_code, "int sail(int to);\nstruct ferry {\n").headings == [(), ("struct ferry",)]


def test_sections_and_outermost_names_are_the_places_of_settings() -> None:
    assert read(parse_settings, "a = 1\n[tool.x] # note\nb = 2\n[[bin]]\n").headings == [(), ("tool.x",), ("bin",)]
    assert read(parse_settings, "on: push\njobs:\n  test:\n    x: 1\n").headings == [(), ("jobs",)]


@pytest.mark.parametrize("parser", [parse_code, parse_c_code, parse_settings])
@pytest.mark.parametrize("piece", ["a ", "a:", "public ", "(", "[", "class ", "def a\n", "a*"])
def test_code_without_end_stays_as_it_is(parser: Parser, piece: str) -> None:
    content = piece * 50_000
    assert read(parser, content).text == content


VTT = """\
WEBVTT

STYLE
::cue { color: red }

NOTE hidden

1
00:00:01.000 --> 00:00:02.000 align:start
<v Ann>The ferry <i>leaves</i> at&nbsp;noon.

00:00:02.000 --> 00:00:03.000
<v Ann>The ferry <i>leaves</i> at&nbsp;noon.
It is late.

00:02:30.000 --> 00:02:31.000
- Bob speaks
"""


def test_subtitles_are_joined_below_their_times() -> None:
    reading = read(parse_subtitles, VTT)
    assert reading.text == "Ann: The ferry leaves at noon. It is late.\n\n- Bob speaks"
    assert reading.headings == [("00:00:01",), ("00:02:30",)]


def test_subrip_is_read_with_its_commas_and_marks() -> None:
    cues = [
        "1",
        "01:02:03,000 --> 01:02:04,000",
        "{\\an8}<b>Hello</b>",
        "there",
        "",
        "2",
        "01:02:05,000 --> 01:02:06,000",
        "42",
    ]
    content = "\r\n".join(cues)
    reading = read(parse_subtitles, content)
    assert (reading.text, reading.headings) == ("Hello there 42", [("01:02:03",)])


@pytest.mark.parametrize("content", ["", "WEBVTT\n\nNOTE nothing\n", "just text\n", "1\n00:01 -> 00:02\nx\n"])
def test_a_file_without_cues_is_refused(content: str) -> None:
    assert refusal(parse_subtitles, content) is FailureReason.CORRUPT


def test_many_cues_make_a_block_for_every_two_minutes() -> None:
    cues = "".join(f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000 --> x\nword{n}\n\n" for n in range(7200))
    reading = read(parse_subtitles, cues)
    assert len(reading.blocks) == 60
    assert reading.place_of("word7199").heading == ("01:58:00",)
