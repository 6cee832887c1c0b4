"""Questions find their documents by keywords alone, in languages of several scripts in one tenant."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from ingest.language import detect
from tests.integration.corpus import Corpus, corpus_of
from tests.integration.index_database import IndexDatabase
from tests.unit.multilingual import MULTILINGUAL, Passages


@pytest.fixture(scope="module")
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    with corpus_of(shared_index, uuid4().hex, detect=detect) as corpus:
        for passages in MULTILINGUAL:
            for number, text in enumerate(passages.texts):
                corpus.add(f"{passages.language}/{number}", text)
        yield corpus


@pytest.mark.parametrize("exact_below", [10_000, 0])
@pytest.mark.parametrize("passages", MULTILINGUAL, ids=lambda passages: passages.language)
def test_a_question_finds_its_passage_by_keywords(corpus: Corpus, passages: Passages, exact_below: int) -> None:
    found = corpus.ask(passages.question, exact_below=exact_below)
    assert found.passages[0].key == f"{passages.language}/0"
