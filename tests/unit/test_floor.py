"""Which passages are relevant: by meaning, by words, and by the document that a question names."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ask.floor import RelevanceFloor, of_fitting_documents
from bucketwise.models import Place, PlaceMark
from bucketwise.search import Passage
from local import CODE, ROOT
from tests.unit.fakes import passage

HALF = 0.5


def chunk(key: str, text: str, *, title: str | None = None, headings: tuple[str, ...] = ()) -> Passage:
    return passage(text, key=key, title=title, marks=(PlaceMark(0, Place(heading=headings)),))


def keys(question: str, passages: Sequence[Passage], share: float = HALF) -> list[str]:
    numbered = [replace(each, ordinal=ordinal) for ordinal, each in enumerate(passages)]
    left = of_fitting_documents(question, numbered, share)
    assert [each.ordinal for each in left] == sorted(each.ordinal for each in left)  # in their order
    return [each.key for each in left]


ALDER = [
    chunk("Alder.pdf", "This lease is made between Alder Timber Ltd and Quill House."),
    chunk("Alder.pdf", "Rent is due on the first day of each month."),
]
OTHERS = [
    chunk("Birch.pdf", "The lessee shall maintain insurance for the term of the lease."),
    chunk("Cedar.pdf", "The lease ends if insurance is not maintained."),
    chunk("Birch.pdf", "Insurance shall be maintained with a rating of A."),
]


@pytest.mark.parametrize(
    ("cosine", "coverage", "relevant"),
    [
        (0.3, 0.0, True),
        (0.29, 0.59, False),
        (0.0, 0.6, True),
        (None, 0.6, True),
        (None, 0.59, False),
        (-1.0, 0.0, False),
    ],
)
def test_a_passage_is_relevant_by_meaning_or_by_words(cosine: float | None, coverage: float, relevant: bool) -> None:
    floor = RelevanceFloor(min_cosine=0.3, min_coverage=0.6)
    assert floor.passes(passage("x", cosine=cosine, coverage=coverage)) is relevant


def test_what_another_contract_says_is_not_relevant_to_the_one_that_is_named() -> None:
    question = "In the lease between Alder Timber and Quill House: must insurance be maintained?"
    assert keys(question, [ALDER[0], *OTHERS, ALDER[1]]) == ["Alder.pdf", "Alder.pdf"]
    assert keys(question, [ALDER[0], *OTHERS, ALDER[1]], share=0) == [
        "Alder.pdf", "Birch.pdf", "Cedar.pdf", "Birch.pdf", "Alder.pdf",
    ]  # fmt: skip


def test_if_none_is_named_all_documents_stay_that_speak_of_what_is_asked() -> None:
    assert keys("Must insurance be maintained?", OTHERS) == ["Birch.pdf", "Cedar.pdf", "Birch.pdf"]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Wie hoch ist die Miete der Lagerhäuser Süd in Bremen?", "LAGERHA\u0308USER SÜD, BREMEN: Miete 900 Euro."),
        ("¿Cuál es la renta del almacén Norte de Cádiz?", "Almacén Norte, CÁDIZ: la renta es de 900 euros."),
        ("倉庫の賃料はいくらですか", "倉庫の賃料は九万円です。"),
    ],
)
def test_names_are_found_in_any_language(question: str, named: str) -> None:
    found = [chunk("a.md", named), chunk("b.md", "Die Miete / la renta / 事務所"), chunk("a.md", "900")]
    assert keys(question, [*found, chunk("c.md", "Die Miete, la renta.")]) == ["a.md", "a.md"]


@pytest.mark.parametrize(
    "named",
    [
        chunk("reports/2023 Q1 Oak Lines.pdf", "Tickets were sold for 82 million."),
        chunk("a.pdf", "Tickets were sold for 82 million.", title="Oak Lines 2023 Q1"),
        chunk("a.pdf", "Tickets were sold for 82 million.", headings=("Oak Lines", "2023 Q1")),
    ],
)
def test_key_title_and_headings_tell_what_a_passage_is_of(named: Passage) -> None:
    others = [chunk(f"{number}.pdf", "Tickets were sold for millions.") for number in range(3)]
    question = "For how much did Oak Lines sell tickets in 2023 Q1?"
    assert keys(question, [named, *others, named]) == [named.key] * 2


def test_two_documents_that_are_named_both_stay() -> None:
    oak, elm = (
        chunk("oak.md", "The Oak Lines of Malmö sail to Bergen."),
        chunk("elm.md", "The Elm Ferries of Turku sail to Bergen."),
    )
    other = chunk("other.md", "Others sail to Bergen, too.")
    assert keys("Do Oak Lines of Malmö or Elm Ferries of Turku sail to Bergen?", [oak, elm, other, oak, elm]) == [
        "oak.md", "elm.md", "oak.md", "elm.md",
    ]  # fmt: skip


def test_a_document_with_a_short_name_stays_beside_one_with_a_long_name() -> None:
    long = [
        chunk(
            "hl-200.pdf", "Harbour Lift HL-200 Marine Edition: the warranty is two years.", title="Harbour Lift HL-200"
        ),
        chunk("hl-200.pdf", "The Marine Edition of the HL-200 is painted."),
    ]
    short = chunk("cranemate.pdf", "CraneMate has a warranty of one year.")
    question = "Is the warranty of the Harbour Lift HL-200 Marine Edition longer than that of the CraneMate?"
    assert keys(question, [long[0], short, long[1]]) == ["hl-200.pdf", "cranemate.pdf", "hl-200.pdf"]


def test_it_is_the_same_in_every_process() -> None:
    # The half has half of what the best has, of words of each rarity: in another order, their sum is another.
    program = """
from tests.unit.test_floor import chunk, keys
best = [chunk("best", "rope sail mast crane winch hoist"), chunk("best", "more")]
half, third, fourth = chunk("half", "quay pier dock"), chunk("third", "winch hoist dock"), chunk("fourth", "more")
print(keys("rope sail mast crane winch hoist quay pier dock", [*best, half, third, fourth]))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join([str(ROOT), *map(str, CODE)])},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(12)
    }
    assert len(told) == 1


def test_a_question_of_very_many_words_names_nothing() -> None:
    question = "In the lease between Alder Timber and Quill House: must insurance be maintained?"
    longer = f"{question} {' '.join(f'word{number}' for number in range(200))}"
    assert len(keys(longer, [ALDER[0], *OTHERS, ALDER[1]])) == 5


def test_a_document_that_a_single_passage_was_found_of_says_nothing_against_others() -> None:
    question = "In the lease between Alder Timber and Quill House: must insurance be maintained?"
    assert keys(question, [ALDER[0], *OTHERS]) == ["Alder.pdf", "Birch.pdf", "Cedar.pdf", "Birch.pdf"]


def test_a_word_or_two_that_only_one_document_has_say_nothing_against_others() -> None:
    travel = chunk("travel.md", "Book your journey by rail in the portal.")
    hotels = chunk("hotels.md", "A journey of several days wants a room.")
    other = chunk("other.md", "The portal is new.")
    assert keys("How do I book a journey?", [travel, hotels, other, travel]) == [
        "travel.md", "hotels.md", "other.md", "travel.md",
    ]  # fmt: skip
    assert keys("How do I book a journey by rail in the portal?", [travel, hotels, other, travel]) == ["travel.md"] * 2


def test_the_first_passage_of_the_search_is_never_lost() -> None:
    question = "In the lease between Alder Timber and Quill House: must insurance be maintained?"
    found = [*OTHERS, *ALDER]
    assert keys(question, found) == [each.key for each in found]


def test_a_long_document_fits_no_better_for_the_number_of_its_passages() -> None:
    # Its passages together have more of the question's words than the note, and none has as many.
    long = [chunk("long.md", text) for text in ("The Oslo office.", "A guest is a guest.", "Passwords are secret.")]
    note = chunk("note.md", "Guest password in Oslo: heron.")
    assert keys("What is the guest password in Oslo?", [note, *long, note]) == ["note.md", *["long.md"] * 3, "note.md"]


def test_of_a_long_document_only_what_stands_together_counts() -> None:
    found = ("Rates of moorings and berths.", "Night porters, weekdays.", "Winter cranes.")
    long = [chunk("long.md", text) for text in found]
    note = chunk("note.md", "Winter cranes need permits.")
    question = "Are there permits for cranes in winter, or rates for moorings, berths and night porters on weekdays?"
    assert keys(question, [*long, note]) == [*["long.md"] * 3, "note.md"]


def test_words_that_every_text_has_name_nothing() -> None:
    wordy = chunk("wordy.md", "When it is off, that must be done by those who are there.")
    terse = chunk("terse.md", "Alarm: call the warden.")
    question = "What must be done by those who are there when the alarm is off?"
    assert keys(question, [wordy, terse, wordy]) == ["wordy.md", "terse.md", "wordy.md"]


def test_words_that_nothing_has_leave_all() -> None:
    assert keys("Xyzzy plugh?", OTHERS) == [each.key for each in OTHERS]
    assert keys("?", OTHERS) == [each.key for each in OTHERS]
    assert keys("?", []) == []


def test_what_does_not_pass_is_not_compared_with() -> None:
    floor = RelevanceFloor(min_cosine=0.3, min_coverage=0.6, min_fit=HALF)
    question = "In the lease between Alder Timber and Quill House: must insurance be maintained?"
    below = [replace(each, cosine=0.1, coverage=0.1) for each in ALDER]
    assert floor.relevant(question, [*below, *OTHERS]) == OTHERS
    assert floor.relevant(question, [*ALDER, *OTHERS]) == ALDER
