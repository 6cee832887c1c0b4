"""Who a request is counted for, and whose documents it is about."""

from typing import Any

import pytest

from ask.caller import caller_of, tenant_of
from bucketwise.errors import UnknownCaller
from tests.unit.fakes import sample_event

STS = "arn:aws:sts::123456789012"
READER = "arn:aws:iam::123456789012:role/reader"
TENANTS = {READER: "acme", "arn:aws:iam::123456789012:user/staff/mary": "globex"}


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


@pytest.mark.parametrize(
    ("arn", "tenant"),
    [
        (f"{STS}:assumed-role/reader/session", "acme"),
        (f"{STS}:assumed-role/reader/globex", "acme"),
        (READER, "acme"),
        ("arn:aws:iam::123456789012:user/staff/mary", "globex"),
    ],
)
def test_who_signed_is_of_the_tenant_that_the_map_names(arn: str, tenant: str) -> None:
    assert tenant_of(event(arn), TENANTS, default="other") == tenant


@pytest.mark.parametrize(
    "arn",
    [
        f"{STS}:assumed-role/writer/session",
        f"{STS}:assumed-role/writer/reader",
        f"{STS}:assumed-role/Reader/session",
        f"{STS}:federated-user/mary",
        "arn:aws:sts::210987654321:assumed-role/reader/session",
        "arn:aws-cn:sts::123456789012:assumed-role/reader/session",
        "arn:aws:iam::123456789012:user/mary",
        "arn:aws:iam::123456789012:root",
        None,
        "",
    ],
)
def test_who_is_not_in_the_map_is_of_no_tenant(arn: str | None) -> None:
    with pytest.raises(UnknownCaller):
        tenant_of(event(arn), TENANTS, default="other")


@pytest.mark.parametrize("arn", [f"{STS}:assumed-role/reader/session", READER, None])
def test_without_a_map_all_whom_iam_let_in_are_of_the_one_tenant(arn: str | None) -> None:
    assert tenant_of(event(arn), {}, default="only") == "only"


def test_behind_an_authorizer_the_tenant_is_the_one_that_it_tells() -> None:
    told = event(None, authorizer={"principalId": "issuer|7", "tenant": "acme"})
    assert tenant_of(told, {}, default="other") == "acme"
    assert tenant_of(told, TENANTS, default="other") == "acme"


@pytest.mark.parametrize(
    "told", [{}, {"tenant": ""}, {"tenant": None}, {"tenant": ["acme"]}, {"claims": {"tenant": "x"}}]
)
def test_an_authorizer_that_tells_no_tenant_lets_nobody_in(told: dict[str, Any]) -> None:
    with pytest.raises(UnknownCaller):
        tenant_of(event(None, authorizer={"principalId": "issuer|7"} | told), {}, default="other")


def test_who_signed_is_of_no_tenant_that_an_authorizer_tells() -> None:
    both = event(READER, authorizer={"principalId": "issuer|7", "tenant": "globex"})
    assert tenant_of(both, TENANTS, default="other") == "acme"
