"""What a function says of a batch, as Lambda reads it."""

from typing import Any

import pytest

from local.event_source import failed_identifiers

IDS = {"a", "b"}


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_a_response_without_failures_is_a_complete_success(response: Any) -> None:
    assert failed_identifiers(response, IDS) == set()


def test_a_response_names_the_messages_that_failed() -> None:
    assert failed_identifiers({"batchItemFailures": [{"itemIdentifier": "b"}]}, IDS) == {"b"}


@pytest.mark.parametrize(
    "response",
    [
        "ok",
        [],
        {"batchItemFailures": "a"},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": ["a"]}]},
        {"batchItemFailures": [{"messageId": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "of another batch"}]},
    ],
)
def test_a_malformed_response_fails_the_whole_batch(response: Any) -> None:
    assert failed_identifiers(response, IDS) == IDS
