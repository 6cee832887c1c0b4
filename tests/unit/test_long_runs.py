"""Runs without spaces or punctuation: how much of them is counted, and that their chunks are exact."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from semantic_text_splitter import TextSplitter

from ingest import tokens
from ingest.chunking import Chunker
from ingest.tokens import CountedText, count_tokens
from tests.unit.test_chunking import split, text_document

HAN = "".join(map(chr, range(0x4E00, 0x5200)))
LETTERS = {"han": HAN, "dna": "ACGT", "arabic": "ابتثجحخدذرزسشصضطظعغف", "emoji": "🚂🚃😀👩", "one": "a"}
CHUNKER = Chunker(180, 0, 360)


def lines(letters: str, length: int) -> str:
    chance = random.Random(length)  # noqa: S311  # texts, not secrets
    return "\n".join("".join(chance.choices(letters, k=length)) for _ in range(12_000 // length))


@dataclass(slots=True)
class CountingSplitter:
    splitter: TextSplitter
    count: Callable[[int], None]

    def chunks(self, text: str) -> list[str]:
        self.count(len(text))
        return self.splitter.chunks(text)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each text that the tokenizer gets, the characters."""
    lengths: list[int] = []
    splitter = tokens._splitter  # all that is counted goes through it
    monkeypatch.setattr(tokens, "_splitter", lambda capacity: CountingSplitter(splitter(capacity), lengths.append))
    return lengths


@pytest.mark.parametrize("length", [200, 3000, 12_000])
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS.keys())
def test_the_tokenizer_is_given_no_more_of_a_run_that_is_longer(given: list[int], letters: str, length: int) -> None:
    text = lines(letters, length)
    chunks = split(CHUNKER, text_document(text))
    assert sum(len(chunk.text) for chunk in chunks) > 0.99 * len(text)
    assert sum(given) < 20 * len(text)


@pytest.mark.parametrize("overlap", [0, 40])
@pytest.mark.parametrize("length", [70, 300])
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS.keys())
def test_the_chunks_of_a_run_are_exact_and_bounded(letters: str, length: int, overlap: int) -> None:
    text = lines(letters, length).replace("\n", " \n otters sleep ")
    for chunk in split(Chunker(180, overlap), text_document(text)):
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.tokens == count_tokens(chunk.text) <= 180


def test_chunks_are_filled_also_where_a_run_does_not_go_on_as_it_begins() -> None:
    text = "щ" * 40 + "a" * 3000 + "щ" * 400
    chunks = split(CHUNKER, text_document(text))
    assert "".join(chunk.text for chunk in chunks) == text
    assert all(chunk.tokens == count_tokens(chunk.text) <= 180 for chunk in chunks)
    assert min(chunk.tokens for chunk in chunks[:-1]) > 160


@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS.keys())
def test_an_estimate_is_exact_up_to_the_most_that_is_asked_for(letters: str) -> None:
    text = lines(letters, 1000)
    counted = CountedText(text, 100)
    for start in range(0, 3000, 170):
        for end in range(start + 1, start + 900, 90):
            exact = count_tokens(text[start:end])
            assert counted.count(start, end) == exact
            about = counted.about(start, end)
            assert about == exact or (about > 100 and exact > 100)


@pytest.mark.parametrize("guess", [0, 1, 7, 60, 10_000])
@pytest.mark.parametrize(
    "text",
    ["", "a", "otters sleep", HAN[:90], "a" * 500, "a\n\nb"],
    ids=["none", "letter", "words", "han", "run", "lines"],
)
def test_a_wrong_guess_changes_no_count(text: str, guess: int) -> None:
    assert count_tokens(text, guess) == count_tokens(text)
