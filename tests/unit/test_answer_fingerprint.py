"""Two questions share an answer if nothing differs that could shape it."""

from typing import Any

import pytest

from ask import fingerprint
from ask.filters import Filters
from ask.fingerprint import NOT_SHAPING, SHAPING, answer_fingerprint
from bucketwise.index_kind import IndexKind
from bucketwise.settings import Settings

SETTINGS = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"})
ASKED: dict[str, Any] = {
    "question": "How much leave do I get?",
    "filters": Filters(prefix="hr/", metadata={"year": 2025, "kind": "handbook"}).for_index(),
    "top_k": 8,
    "settings": SETTINGS,
    "prompt_version": "answer-v1",
    "kind": IndexKind("model", 8),
}
OTHERS: dict[str, Any] = {
    "question": "How much leave do I get? ",
    "context": "We spoke of leave.",
    "filters": Filters(prefix="hr/").for_index(),
    "top_k": 9,
    "prompt_version": "answer-v3",
    "kind": IndexKind("model", 4),
}
# Another value for each type that a setting which shapes answers may have; none need be a valid one.
CHANGED: dict[type, Any] = {str: "another", int: 17, float: 0.123}


def test_the_same_question_has_the_same_fingerprint() -> None:
    assert len(answer_fingerprint(**ASKED)) == 32
    assert answer_fingerprint(**ASKED) == answer_fingerprint(**ASKED)
    shuffled = dict(reversed(ASKED["filters"].items()))
    assert list(shuffled) != list(ASKED["filters"])
    assert answer_fingerprint(**ASKED | {"filters": shuffled}) == answer_fingerprint(**ASKED)


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_is_asked_otherwise_has_another_fingerprint(name: str) -> None:
    assert answer_fingerprint(**ASKED | {name: OTHERS[name]}) != answer_fingerprint(**ASKED)


def test_what_stands_in_another_place_is_something_else() -> None:
    apart, swapped = {"question": "a", "context": "b"}, {"question": "b", "context": "a"}
    assert answer_fingerprint(**ASKED | apart) != answer_fingerprint(**ASKED | swapped)


@pytest.mark.parametrize("name", SHAPING)
def test_a_setting_that_shapes_answers_is_part_of_it(name: str) -> None:
    other = SETTINGS.model_copy(update={name: CHANGED[type(getattr(SETTINGS, name))]})
    assert answer_fingerprint(**ASKED | {"settings": other}) != answer_fingerprint(**ASKED)


def test_another_setting_is_not() -> None:
    other = SETTINGS.model_copy(update={"database_host": "elsewhere", "link_seconds": 1})
    assert answer_fingerprint(**ASKED | {"settings": other}) == answer_fingerprint(**ASKED)


def test_of_each_setting_it_is_said_whether_it_shapes_answers() -> None:
    assert sorted(SHAPING + NOT_SHAPING) == sorted(Settings.model_fields)


def test_answers_of_an_earlier_form_are_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before = answer_fingerprint(**ASKED)
    monkeypatch.setattr(fingerprint, "FORM", fingerprint.FORM + 1)
    assert answer_fingerprint(**ASKED) != before


def test_a_rewritten_question_may_hold_whatever_a_model_writes() -> None:
    assert answer_fingerprint(**ASKED | {"question": "half \ud800"}) != answer_fingerprint(**ASKED)
