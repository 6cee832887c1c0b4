from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsing.pdf import parse_pdf
from ingest.parsing.properties import timestamp
from ingest.parsing.readable import InMemory
from tests.unit.make_pdf import make_pdf


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        ("2024-01-02T03:04:05.678+01:30", "2024-01-02T01:34:05+00:00"),
        ("2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00"),
        (" 2024-01-02\n", "2024-01-02T00:00:00+00:00"),
        ("2024-01-02T03:04:05+23:59", "2024-01-01T03:05:05+00:00"),
        ("D:20171211093519-06'00'", "2017-12-11T15:35:19+00:00"),
        ("D:20171211093519+05'30", "2017-12-11T04:05:19+00:00"),
        ("D:20171211093519+0530", "2017-12-11T04:05:19+00:00"),
        ("D:20171211093519+01", "2017-12-11T08:35:19+00:00"),
        ("D:20171211093519Z", "2017-12-11T09:35:19+00:00"),
        ("D:20171211093519Z00'00'", "2017-12-11T09:35:19+00:00"),
        ("D:20171211093519", "2017-12-11T09:35:19+00:00"),
        ("20171211093519", "2017-12-11T09:35:19+00:00"),
        ("D:201712110935", "2017-12-11T09:35:00+00:00"),
        ("D:20171211", "2017-12-11T00:00:00+00:00"),
        ("D:2017", "2017-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
)
def test_dates_come_in_one_form(stored: str, expected: str) -> None:
    assert timestamp(stored) == expected


@pytest.mark.parametrize(
    "stored",
    [
        None, "", "yesterday", "2024", "12/11/2017 9:35", "2024-02-30", "2024-01-02T03:04:60Z", "0000-01-01",
        "D:", "D:20171311", "D:20171211253519", "D:20171211093519-06'00'x", "D:19100", "D:20171211093519+99'00'",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "-4712-01-01T00:00:00Z", "12024-01-01", "\ud800",
        "\0" * 99,
    ],
)  # fmt: skip
def test_what_is_no_date_or_none_of_our_era_is_left_out(stored: str | None) -> None:
    assert timestamp(stored) is None


@given(
    st.text("D:0123456789-+Z'T \u0663", max_size=30) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
)
def test_whatever_is_stored_gives_a_moment_in_utc_or_none(stored: str) -> None:
    found = timestamp(stored)
    if found is not None:
        moment = datetime.fromisoformat(found)
        assert moment.tzinfo == UTC
        assert found == moment.isoformat()


def test_a_pdf_says_who_made_it_and_when() -> None:
    info = {"Author": "Ada", "CreationDate": "D:20240102030405+01'00'", "ModDate": "D:2024010"}
    document = parse_pdf(InMemory(make_pdf([["Leave is 25 days."]], info=info)))
    list(document.blocks)
    assert (document.author, document.created, document.modified) == ("Ada", "2024-01-02T02:04:05+00:00", None)
