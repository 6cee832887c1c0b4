"""Whose a document is: to the letter what its key says, and nothing else."""

import unicodedata
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bucketwise.callers import is_tenant
from bucketwise.errors import InvalidSettings
from bucketwise.settings import Settings
from ingest.sidecar import SUFFIX, document_key
from ingest.tenants import Owner, Tenancy

FOLDERS = Tenancy("default", folders=True)
BELOW = Tenancy("default", "reports/", folders=True)
REFUSED = Owner("default", refused=True)
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))

keys = st.text(
    st.sampled_from("aA/ .+%\u00fc\u0308\u3000\n\x7f") | st.characters(exclude_categories=["Cs"]), max_size=12
)
names = st.text(
    st.sampled_from("aA .+%\u00fc\u0308") | st.characters(categories=["L", "M", "N", "P", "S"]), max_size=12
)
names = names.map(lambda name: name.replace("/", "").strip()).filter(is_tenant)


@pytest.mark.parametrize(
    ("key", "tenant"),
    [
        ("acme/x.pdf", "acme"),
        ("acme/2024/deep/x.pdf", "acme"),
        ("acme/", "acme"),
        ("x.pdf", "default"),
        ("default/x.pdf", "default"),
        ("Acme/x.pdf", "Acme"),
        ("a b+c%20d/x.pdf", "a b+c%20d"),
        ("../x.pdf", ".."),
        ("acme\\x/x.pdf", "acme\\x"),
        (f"{COMPOSED}/x.pdf", COMPOSED),
        (f"{DECOMPOSED}/x.pdf", DECOMPOSED),
        ("\U0001f682/x.pdf", "\U0001f682"),
        ("\u00fc" * 256 + "/x", "\u00fc" * 256),
        ("acme//x.pdf", "acme"),
        ("acme.metadata.json", "default"),
    ],
)
def test_the_first_folder_is_the_tenant(key: str, tenant: str) -> None:
    assert FOLDERS.owner(key) == Owner(tenant)
    assert BELOW.owner(f"reports/{key}") == Owner(tenant)


def test_names_that_only_look_alike_are_different_tenants() -> None:
    assert COMPOSED != DECOMPOSED
    alike = [COMPOSED, DECOMPOSED, "acme", "Acme", "ACME", "\u0430cme", "\uff41cme"]
    assert len({FOLDERS.owner(f"{name}/x").tenant for name in alike}) == len(alike)


@pytest.mark.parametrize(
    "folder",
    [
        "", " ", "acme ", " acme", "acme\u00a0", "\u3000acme", "a\ncme", "acme\r", "a\x01", "a\x7f", "\x85a", "\0",
        "ac\u200bme", "\u202eacme", "a\u2028", "\ud800", "a" * 257, "\U0001f682" * 257,
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_a_tenant_is_refused_and_nobody_elses(folder: str) -> None:
    assert FOLDERS.owner(f"{folder}/x.pdf") == REFUSED
    assert BELOW.owner(f"reports/{folder}/acme/x.pdf") == REFUSED


@pytest.mark.parametrize("key", ["other/x.pdf", "x.pdf", "reports", "Reports/acme/x.pdf", "/reports/acme/x.pdf"])
def test_what_lies_outside_of_the_prefix_is_of_the_one_tenant(key: str) -> None:
    """It is no document: what the index may still hold of it is removed there."""
    assert BELOW.owner(key) == Owner("default")


@given(keys)
def test_without_folders_all_is_of_the_one_tenant(key: str) -> None:
    assert Tenancy("acme").owner(key) == Owner("acme")


@given(keys)
@example("//x")
def test_an_owner_is_the_folder_to_the_letter_or_the_one_tenant(key: str) -> None:
    owner = FOLDERS.owner(key)
    folder, slash, _ = key.partition("/")
    if owner.tenant != "default":
        assert slash
        assert owner == Owner(folder)
    else:
        assert owner.refused == (slash != "" and folder != "default")


@given(names, keys)
def test_whatever_is_stored_in_a_tenants_folder_is_the_tenants(name: str, rest: str) -> None:
    assert FOLDERS.owner(f"{name}/{rest}") == Owner(name)
    assert BELOW.owner(f"reports/{name}/{rest}") == Owner(name)


@given(names, names, keys, keys)
def test_two_folders_are_two_tenants(one: str, other: str, first: str, second: str) -> None:
    owners = FOLDERS.owner(f"{one}/{first}"), FOLDERS.owner(f"{other}/{second}")
    assert (owners[0] == owners[1]) == (one == other)


@given(keys)
def test_a_sidecar_is_of_its_documents_tenant(key: str) -> None:
    for tenancy, each in product((FOLDERS, BELOW), (key, f"reports/{key}")):
        assert tenancy.owner(document_key(f"{each}{SUFFIX}")) == tenancy.owner(document_key(each))


@given(keys)
def test_a_folder_is_a_tenant_if_callers_can_be_of_it(key: str) -> None:
    folder, slash, _ = key.partition("/")
    assert FOLDERS.owner(key).refused == (slash != "" and not is_tenant(folder))


@given(names)
def test_each_tenant_can_be_set_for_the_ask_function(name: str) -> None:
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere", "TENANT": name})
    assert given.tenant == name


def test_what_is_refused_has_a_fingerprint_of_its_own() -> None:
    assert Owner("default").fingerprint("code 1") == "code 1"
    assert REFUSED.fingerprint("code 1") != "code 1"
    assert REFUSED.fingerprint("code 1") != REFUSED.fingerprint("code 2")


@pytest.mark.parametrize(("prefix", "right"), [("", True), ("reports/", True), ("reports", False), ("r/2024-", False)])
def test_folders_want_a_prefix_that_ends_with_a_slash(prefix: str, right: bool) -> None:
    environment = {"DATABASE_URL": "postgresql://nowhere", "PREFIX": prefix}
    assert Tenancy.of(Settings.from_environment(environment)) == Tenancy("default", prefix)
    if right:
        given = Settings.from_environment(environment | {"TENANT_FOLDERS": "true"})
        assert Tenancy.of(given) == Tenancy("default", prefix, folders=True)
    else:
        with pytest.raises(InvalidSettings, match="PREFIX must end with a slash"):
            Settings.from_environment(environment | {"TENANT_FOLDERS": "true"})
