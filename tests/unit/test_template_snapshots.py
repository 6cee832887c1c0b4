"""The stack in which ask starts from a snapshot, Lambda's SnapStart."""

from typing import Any

from tests.unit.template_model import attribute, dependencies, deployed, made, parameter
from tests.unit.template_variants import VARIANTS

SNAPSHOTS = VARIANTS["snapshots"]
RELEASE = {"Ref": "Release"}
ALIAS = {"Ref": "AskAlias"}  # its ARN, with the function's name and its own


def called(**given: str) -> list[Any]:
    """The function in the URI of each method's integration."""
    paths = made("Api", **given)["Body"]["paths"].values()
    uris = [each["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"] for path in paths for each in path.values()]
    assert {text.split(":lambda:", 1)[1] for text, _ in uris} == {"path/2015-03-31/functions/${Called}/invocations"}
    return [put_in["Called"] for _, put_in in uris]


def test_by_default_nothing_is_published_and_the_api_calls_the_function_itself() -> None:
    assert parameter("SnapStart")["Default"] == "false"
    kinds = {each["Type"] for each in deployed().values()}
    assert kinds & {"AWS::Lambda::Version", "AWS::Lambda::Alias"} == set()
    assert called() == [attribute("AskFunction")] * len(called())
    assert made("AskPermission")["FunctionName"] == {"Ref": "AskFunction"}
    assert "SnapStart" not in str(deployed())


def test_ask_and_no_other_function_starts_from_a_snapshot() -> None:
    functions = {name: each["Properties"] for name, each in deployed(**SNAPSHOTS).items() if "Function" in each["Type"]}
    assert {name: each["SnapStart"] for name, each in functions.items() if "SnapStart" in each} == {
        "AskFunction": {"ApplyOn": "PublishedVersions"}
    }


def test_every_method_calls_the_published_version_and_may() -> None:
    assert called(**SNAPSHOTS) == [ALIAS] * len(called())
    assert made("AskPermission", **SNAPSHOTS)["FunctionName"] == ALIAS


def test_each_release_publishes_a_version_also_of_what_parameters_alone_changed() -> None:
    """Another description replaces the version; of a function that is as it was, Lambda would publish none."""
    assert made("AskVersion", **SNAPSHOTS) == {"FunctionName": {"Ref": "AskFunction"}, "Description": RELEASE}
    assert made("AskFunction", **SNAPSHOTS)["Description"] == RELEASE
    assert "Description" not in made("AskFunction")


def test_callers_get_the_version_of_this_release() -> None:
    alias = made("AskAlias", **SNAPSHOTS)
    assert (alias["FunctionName"], alias["FunctionVersion"]) == (
        {"Ref": "AskFunction"},
        attribute("AskVersion", "Version"),
    )


def test_versions_that_nobody_calls_any_more_are_deleted() -> None:
    """Each is charged for as long as it is there."""
    version = deployed(**SNAPSHOTS)["AskVersion"]
    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Delete", "Delete")


def test_a_snapshot_is_taken_when_the_index_is_there() -> None:
    assert "Migration" in dependencies("AskVersion", **SNAPSHOTS)


def test_nothing_else_is_another() -> None:
    plain, snapshots = deployed(), deployed(**SNAPSHOTS)
    assert snapshots.keys() - plain.keys() == {"AskVersion", "AskAlias"}
    assert {name for name in plain if plain[name] != snapshots[name]} == {"AskFunction", "AskPermission", "Api"}
