"""What a child says of dates is what the database takes, whoever made the child say it."""

import json

import pytest

from ingest.sandbox.messages import Ended, message
from ingest.sandbox.wire import Garbled


def ended(created: str) -> Ended:
    facts: dict[str, object] = {
        "title": None,
        "pages": 1,
        "author": None,
        "created": created,
        "modified": None,
        "skipped": [],
    }
    said = message(json.dumps({"end": facts}).encode())
    assert isinstance(said, Ended)
    return said


@pytest.mark.parametrize(
    "said", ["2024-01-01T12:00:00+00:00", "2024-01-02T11:59:00+23:59", "20240101T120000Z", "2024-W01-1T12:00:00Z"]
)
def test_a_date_of_any_form_and_offset_becomes_one_that_the_database_takes(said: str) -> None:
    assert ended(said).end.created == "2024-01-01T12:00:00+00:00"


@pytest.mark.parametrize("said", ["yesterday", "", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_date_that_is_none_is_garbled(said: str) -> None:
    with pytest.raises(Garbled):
        ended(said)
