"""Which database servers are refused, and which are advised against."""

import pytest

from bucketwise.errors import IndexMismatch
from bucketwise.server_version import is_older, judge


@pytest.mark.parametrize(
    ("server", "pgvector"), [(170_006, "0.8.4"), (160_010, "0.8.5"), (180_000, "0.9"), (170_010, "1.0.0")]
)
def test_a_new_server_is_taken_without_a_word(server: int, pgvector: str) -> None:
    assert judge(server, pgvector) == []


@pytest.mark.parametrize(
    ("server", "pgvector", "reason"),
    [(150_013, "0.8.5", "PostgreSQL 15"), (170_006, "0.7.4", "pgvector 0.7.4"), (170_006, "0.8", "pgvector 0.8:")],
)
def test_an_old_server_is_refused_by_name(server: int, pgvector: str, reason: str) -> None:
    with pytest.raises(IndexMismatch, match=reason):
        judge(server, pgvector)


def test_versions_are_compared_as_numbers() -> None:
    assert is_older("0.8.4", than="0.10.0")
    assert not is_older("0.10.0", than="0.9.1")
    assert not is_older("0.8.4", than="0.8.4")


@pytest.mark.parametrize(
    ("server", "pgvector", "advice"),
    [
        (160_009, "0.8.4", "PostgreSQL 16.9"),
        (170_005, "0.8.4", "PostgreSQL 17.5"),
        (170_006, "0.8.3", "pgvector 0.8.3"),
    ],
)
def test_a_server_with_known_faults_is_advised_against(server: int, pgvector: str, advice: str) -> None:
    [given] = judge(server, pgvector)
    assert given.startswith(advice)
