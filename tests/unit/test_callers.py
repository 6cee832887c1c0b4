"""The setting CALLERS: tenants by the ARNs of roles and users."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ask.caller import caller_of
from bucketwise.callers import callers_from_json, is_tenant
from bucketwise.errors import InvalidSettings
from bucketwise.settings import Settings

ROLE = "arn:aws:iam::123456789012:role"
USER = "arn:aws:iam::123456789012:user"
SECRET = "SECRET"
NAME = st.text("abcXYZ019_+=,.@-", min_size=1, max_size=64)
PATH = st.lists(st.text("abc/.!", min_size=1, max_size=9), max_size=3).map(
    lambda parts: "".join(f"{p}/" for p in parts)
)


def settings(callers: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test", "CALLERS": callers})


def refusal(callers: str) -> str:
    with pytest.raises(InvalidSettings) as raised:
        settings(callers)
    return str(raised.value)


def test_a_map_names_roles_and_users_of_several_accounts() -> None:
    given: Mapping[str, str] = {
        f"{ROLE}/acme-reader": "acme",
        "arn:aws-us-gov:iam::210987654321:role/acme": "acme",
        f"{USER}/staff/mary": "Globex Ltd",
    }
    assert settings(json.dumps(given)).tenants_of_callers == given


@pytest.mark.parametrize("nothing", ["", "{}", " {\n} ", "  "])
def test_a_map_may_be_empty(nothing: str) -> None:
    assert settings(nothing).tenants_of_callers == {}


def test_a_role_is_known_without_its_path_and_a_user_with_it() -> None:
    paths = {f"{ROLE}/aws-reserved/sso.amazonaws.com/Reader": "acme", f"{USER}/staff/mary": "acme"}
    assert settings(json.dumps(paths)).tenants_of_callers.keys() == {f"{ROLE}/Reader", f"{USER}/staff/mary"}


@given(path=PATH, name=NAME, session=NAME)
def test_whatever_a_roles_path_its_sessions_are_found_in_the_map(path: str, name: str, session: str) -> None:
    [named] = callers_from_json(json.dumps({f"{ROLE}/{path}{name}": "acme"}))
    arn = f"arn:aws:sts::123456789012:assumed-role/{name}/{session}"
    assert caller_of({"requestContext": {"identity": {"userArn": arn}}}) == named


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::123456789012:assumed-role/SECRET/mary",
        "arn:aws:sts::123456789012:assumed-role/SECRET",
        "arn:aws:sts::123456789012:federated-user/SECRET",
    ],
)
def test_a_session_is_refused_and_its_role_asked_for(arn: str) -> None:
    told = refusal(json.dumps({f"{ROLE}/one": "acme", arn: "acme"}))
    assert told.startswith("CALLERS: ")
    assert "entry 2 names a session" in told
    assert "role/NAME" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    "callers",
    [
        "SECRET",
        "[]",
        '["SECRET"]',
        '[["SECRET", "acme"]]',
        '"SECRET"',
        "7",
        "null",
        '{"SECRET": ',
        "[" * 100_000,
        *(
            json.dumps({arn: "acme"})
            for arn in (
                "",
                "SECRET",
                "*",
                f"{ROLE}/*",
                f"{ROLE}/SECRET*",
                f"{ROLE}/",
                ROLE,
                f"{ROLE}/SECRET\n",
                f" {ROLE}/SECRET",
                "arn:aws:iam::123456789012:root",
                "arn:aws:iam::123456789012:group/SECRET",
                "arn:aws:iam::12345678901:role/SECRET",
                "arn:aws:iam:us-east-1:123456789012:role/SECRET",
                "arn:aws:iam::123456789012:role/SÉCRET",
                f"{ROLE}/{'x' * 65}",
            )
        ),
        *(
            json.dumps({f"{ROLE}/one": tenant})
            for tenant in ("", " ", "SECRET ", " SECRET", "SEC\nRET", "SECRET\0", "x" * 257, 7, None, True, ["SECRET"])
        ),
        json.dumps({f"{ROLE}/one": {"tenant": "SECRET"}}),
        f'{{"{ROLE}/one": "SECRET", "{ROLE}/one": "acme"}}',
        f'{{"{ROLE}/a/one": "SECRET", "{ROLE}/b/one": "acme"}}',
        '{"\\ud800": "acme"}',
        f'{{"{ROLE}/one": "\\ud800"}}',
    ],
    ids=lambda callers: callers[:60],
)
def test_anything_else_is_refused_without_being_repeated(callers: str) -> None:
    told = refusal(callers)
    assert told.startswith("CALLERS: ")
    assert SECRET not in told


@given(st.text(max_size=30))
def test_a_tenants_name_can_be_kept_by_the_database(name: str) -> None:
    if is_tenant(name):
        assert name.encode()
        assert "\0" not in name
        assert name == name.strip() != ""
