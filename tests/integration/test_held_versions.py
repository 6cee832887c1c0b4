"""Which version of an object the index holds, told with the result of a search."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from bucketwise.search import HeldVersion
from tests.integration.corpus import QUESTION, Corpus, corpus_of, keys
from tests.integration.index_database import IndexDatabase, connected


@pytest.fixture
def corpus(shared_index: IndexDatabase) -> Iterator[Corpus]:
    with corpus_of(shared_index, uuid4().hex) as corpus:
        corpus.add("a.md", "Trains run daily.", "Ships sail weekly.")
        yield corpus


def test_an_indexed_version_is_told_with_its_passages(corpus: Corpus) -> None:
    result = corpus.ask("trains", QUESTION, held_key="a.md")
    assert result.held == HeldVersion("v1")
    assert (keys(result), result.corpus_version) == ({"a.md"}, 1)


def test_it_is_told_also_when_nothing_is_found(corpus: Corpus) -> None:
    result = corpus.ask("trains", QUESTION, held_key="a.md", filters={"prefix": "nothing/"})
    assert (result.passages, result.held) == ([], HeldVersion("v1"))


def test_a_failed_version_is_told_with_its_reason(corpus: Corpus) -> None:
    corpus.fail("a.md")
    held = corpus.ask("trains", held_key="a.md").held
    assert held == HeldVersion("v2", "corrupt", "The file is damaged.")


def test_of_a_deleted_object_no_version_is_held(corpus: Corpus) -> None:
    corpus.remove("a.md")
    assert corpus.ask("trains", held_key="a.md").held is None


@pytest.mark.parametrize("key", [None, "b.md", ""])
def test_without_a_known_object_nothing_is_told(key: str | None, corpus: Corpus) -> None:
    assert corpus.ask("trains", QUESTION, held_key=key).held is None


def test_a_row_that_nothing_was_committed_to_and_another_tenants_tell_nothing(
    corpus: Corpus, shared_index: IndexDatabase
) -> None:
    with connected(shared_index.superuser) as superuser:
        superuser.execute(
            """INSERT INTO bucketwise.documents (tenant, key, claim, state)
               VALUES (%s, 'new.md', 0, 'deleted')""",
            (corpus.index.tenant,),
        )
    assert corpus.ask("trains", held_key="new.md").held is None
    with corpus_of(shared_index, uuid4().hex) as other:
        assert other.ask("trains", held_key="a.md").held is None
