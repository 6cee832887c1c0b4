"""Who a request is counted for."""

from typing import Any

import pytest

from ask.caller import caller_of
from tests.unit.fakes import sample_event

STS = "arn:aws:sts::123456789012"


def event(arn: object = None, **context: Any) -> dict[str, Any]:
    return {"requestContext": {"identity": {"userArn": arn}, **context}}


@pytest.mark.parametrize(
    ("arn", "caller"),
    [
        ("arn:aws:iam::123456789012:user/staff/mary", "arn:aws:iam::123456789012:user/staff/mary"),
        ("arn:aws:iam::123456789012:user/a:b/mary", "arn:aws:iam::123456789012:user/a:b/mary"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        (f"{STS}:assumed-role/reader/mary", "arn:aws:iam::123456789012:role/reader"),
        ("arn:aws-cn:sts::1:assumed-role/reader/x", "arn:aws-cn:iam::1:role/reader"),
        (f"{STS}:assumed-role/reader", "arn:aws:iam::123456789012:role/reader"),
        (f"{STS}:federated-user/mary", f"{STS}:federated-user"),
        ("something else", "something else"),
    ],
)
def test_who_signed_is_the_caller_without_a_sessions_name(arn: str, caller: str) -> None:
    assert caller_of(event(arn)) == caller


def test_a_role_is_one_caller_whatever_its_sessions_are_called() -> None:
    names = ["a", "b", "role/other", "x=,.@-", "assumed-role/reader/x"]
    assert len({caller_of(event(f"{STS}:assumed-role/reader/{name}")) for name in names}) == 1
    assert caller_of(event(f"{STS}:assumed-role/reader/writer")) != caller_of(
        event(f"{STS}:assumed-role/writer/reader")
    )


def test_behind_an_authorizer_its_principal_is_the_caller() -> None:
    assert caller_of(event(None, authorizer={"principalId": "user|7"})) == "user|7"
    signed = event("arn:aws:iam::1:user/mary", authorizer={"principalId": "user|7"})
    assert caller_of(signed) == "arn:aws:iam::1:user/mary"


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"requestContext": None},
        {"requestContext": "x"},
        {"requestContext": {}},
        {"requestContext": {"identity": None, "authorizer": None}},
        {"requestContext": {"identity": ["arn"], "authorizer": "x"}},
        event(""),
        event("  "),
        event(7, authorizer={"principalId": 7}),
        event(None, authorizer={"claims": {"sub": "x"}}),
    ],
)
def test_without_either_nobody_is_the_caller(odd: dict[str, Any]) -> None:
    assert caller_of(odd) == "anonymous"


def test_what_a_caller_may_write_says_nothing_of_who_it_is() -> None:
    sent = sample_event("ask")
    forged = {"userArn": "arn:aws:iam::1:user/other", "X-Amzn-Principal": "other", "principalId": "other"}
    changed = sent | {"headers": forged, "queryStringParameters": forged, "body": '{"userArn": "other"}'}
    assert caller_of(changed) == caller_of(sent) == "arn:aws:iam::123456789012:role/bucketwise-caller"
