"""Where stretches of one edition stand in another, on texts made for it."""

from hashlib import sha256
from itertools import count, islice

from bench.text_alignment import RUN, Edition, Letters

WORDS = (sha256(str(number).encode()).hexdigest()[:6] for number in count())


def prose(words: int) -> str:
    """Other words each time."""
    return " ".join(islice(WORDS, words))


def letters(edition: Edition, covered: set[int]) -> str:
    return "".join(edition.letters.squeezed[place] for place in sorted(covered))


def squeezed(text: str) -> str:
    return Letters.of(text).squeezed


def test_letters_know_where_they_stand_in_the_text() -> None:
    text = "A (b-2)\n ﬁx, ß"
    assert (squeezed(text), Letters.of(text).places) == ("ab2fixss", [0, 3, 5, 9, 9, 10, 13, 13])
    assert Letters.of(text).range_of(3, 10) == range(1, 5)
    assert Letters.of(text).range_of(6, 9) == range(3, 3)


def test_a_stretch_is_found_whatever_its_spaces_marks_and_case() -> None:
    before, clause, after = (
        prose(40),
        "The Term ends on December 21, 2015, unless it is re-\nnewed by “both” parties.",
        prose(40),
    )
    edition = Edition(f"{before}\n\n{clause}\n\n{after}")
    covered = edition.covered_by('the  TERM ends on December\n21, 2015, unless it is renewed by "both" parties.')
    start = len(before) + 2
    assert covered == set(edition.letters.range_of(start, start + len(clause)))


def test_what_the_other_edition_inserts_takes_nothing_else_along() -> None:
    one, two = prose(30), prose(30)
    edition = Edition(f"{prose(20)} {one} {two} {prose(20)}")
    covered = edition.covered_by(f"{one}\n\n- 17 -\nSource: ACME INC, 10-K, 3/2/2019\n{two}")
    assert letters(edition, covered) == squeezed(one + two)


def test_what_this_edition_has_in_between_is_not_covered() -> None:
    one, two, foot = prose(30), prose(30), "PAGE NINE OF NINETY NINE"
    edition = Edition(f"{one} {foot} {two}")
    assert letters(edition, edition.covered_by(f"{one} {two}")) == squeezed(one + two)


def test_a_repeated_line_counts_where_the_stretch_goes_on() -> None:
    line = "No failure or delay shall operate as a waiver."
    first, second, third = prose(30), prose(30), prose(30)
    edition = Edition(f"{first} {line} {second} {line} {third}")
    whole = edition.letters.squeezed
    for stretch in (f"{second[-60:]} {line} {third[:60]}", f"{line} {third[:60]}", f"{second[-60:]} {line}"):
        start = whole.rindex(squeezed(stretch))
        assert edition.covered_by(stretch) == set(range(start, start + len(squeezed(stretch)))), stretch


def test_an_insertion_does_not_lead_to_the_next_repetition() -> None:
    line, one, two = "No failure or delay shall operate as a waiver.", prose(30), prose(10)
    edition = Edition(f"{one} {two} {line} {prose(5)} {line} {prose(30)}")
    covered = edition.covered_by(f"{one} {prose(10)} {two} {line}")
    assert covered == set(range(len(squeezed(f"{one}{two}{line}"))))


def test_a_phrase_that_this_edition_has_far_away_alone_is_not_the_same_place() -> None:
    phrase, passage = "representations and warranties", prose(30)
    edition = Edition(f"{passage} {prose(300)} {phrase}")
    assert letters(edition, edition.covered_by(f"{passage} {phrase}")) == squeezed(passage)


def test_stretches_of_another_text_and_of_too_few_letters_are_nowhere() -> None:
    text = prose(50)
    edition = Edition(text)
    assert edition.covered_by("Sourdough bread needs flour, water, salt and time.") == set()
    assert edition.covered_by(squeezed(text)[: RUN - 1]) == set()
    assert edition.covered_by("") == set()


def test_a_line_that_is_everywhere_says_nothing() -> None:
    edition = Edition("Initials of the parties: x. " * 100 + prose(20))
    assert edition.covered_by("Initials of the parties: x.") == set()


def test_every_letter_is_covered_once_by_a_text_cut_to_pieces() -> None:
    text = prose(400)
    edition = Edition(text)
    pieces = [text[start : start + 500] for start in range(0, len(text), 500)]
    covered = [edition.covered_by(piece) for piece in pieces]
    assert sum(map(len, covered)) == len(set().union(*covered)) == len(squeezed(text))
