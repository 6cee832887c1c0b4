"""What a chunk is found by is found in its text, its title, the words of its key and the headings above it."""

from bucketwise.analysis import analyse
from bucketwise.keyword_terms import MOST_COUNTED, language_term
from ingest.terms import CONTEXT_COUNT, Analysis
from tests.unit.ingest_fakes import chunks_of

ANALYSIS = Analysis("The Title", "folder/some_key.txt", "en")


def test_terms_are_those_of_the_text_and_of_all_that_is_above_it() -> None:
    [chunk] = chunks_of("Houses and trees, houses", heading=("Part 1", "Gardens"))
    made = ANALYSIS.of(chunk)
    assert made.context == "The Title\nfolder some key txt\nPart 1\nGardens"
    text, above = analyse(chunk.text, "en").counts, analyse(made.context, "en").counts
    expected = text | dict.fromkeys(above, CONTEXT_COUNT) | {language_term("en"): 1}
    held = [int(one) for one in made.terms.strip("{}").split(",")]
    assert held == sorted(held)
    assert {one >> 8: one & 255 for one in held} == expected
    assert made.length == sum(expected.values()) - 1


def test_a_term_of_the_context_counts_as_often_in_a_chunk_that_repeats_it() -> None:
    once, often, most = chunks_of("trees", "the title of gardens, a title", "title " * 20, heading=("Gardens",))
    counts = [
        {int(one) >> 8: int(one) & 255 for one in ANALYSIS.of(chunk).terms.strip("{}").split(",")}
        for chunk in (once, often, most)
    ]
    title, gardens = analyse("title", "en").counts, analyse("gardens", "en").counts
    assert [each[term] for each in counts for term in title] == [CONTEXT_COUNT, CONTEXT_COUNT, 21]
    assert [each[term] for each in counts for term in gardens] == [CONTEXT_COUNT] * 3


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
