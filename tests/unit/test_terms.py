"""What a chunk is found by is found in its text, its title, the words of its key and the headings above it."""

from bucketwise.analysis import analyse
from bucketwise.keyword_terms import MOST_COUNTED, language_term
from ingest.terms import Analysis
from tests.unit.ingest_fakes import chunks_of

ANALYSIS = Analysis("The Title", "folder/some_key.txt", "en")


def test_terms_are_those_of_the_text_and_of_all_that_is_above_it() -> None:
    [chunk] = chunks_of("Houses and trees, houses", heading=("Part 1", "Gardens"))
    made = ANALYSIS.of(chunk)
    assert made.context == "The Title\nfolder some key txt\nPart 1\nGardens"
    expected = analyse(f"{made.context}\n{chunk.text}", "en")
    held = [int(one) for one in made.terms.strip("{}").split(",")]
    assert held == sorted(held)
    assert {one >> 8: one & 255 for one in held} == expected.counts | {language_term("en"): 1}
    assert made.length == expected.length


def test_a_chunk_without_words_has_the_term_of_its_language_alone() -> None:
    [chunk] = chunks_of("...")
    assert Analysis(None, "...", "en").of(chunk).terms == f"{{{language_term('en') << 8 | 1}}}"


def test_a_chunk_without_words_in_no_known_language_has_an_empty_array() -> None:
    [chunk] = chunks_of("...")
    assert Analysis(None, "...", "").of(chunk).terms == "{}"


def test_a_word_is_counted_no_more_often_than_there_is_room_for() -> None:
    [chunk] = chunks_of("house " * (MOST_COUNTED + 50))
    made = Analysis(None, "", "").of(chunk)
    assert (int(made.terms.strip("{}")) & 255, made.length) == (MOST_COUNTED, MOST_COUNTED + 50)
