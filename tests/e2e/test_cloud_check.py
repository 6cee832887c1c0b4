"""``make cloud-check``, against the twin as a stack: over HTTP, with signatures that are verified."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from local import CODE, ROOT
from local.environment import Configuration
from local.gateway import error_response
from local.proxy_format import Request, Response
from local.services import BUCKET, TwinOptions
from local.twin import Twin
from tests.e2e.conftest import System
from tests.e2e.twin_stack import NAMESPACE, stack_of

STACK = "twin"
TOKEN = "head.claims.signature"
PREFIX = "team/"
OTHER = "team/bucketwise-check/of-somebody.txt"
ENOUGH_SECONDS = 120
FEW_SECONDS = 6


class DeafTwin(Twin):
    """Its ingest function is ``tests.e2e.deaf_ingest``."""

    def _configuration(self, name: str, variables: Mapping[str, str], seconds: float) -> Configuration:
        given = super()._configuration(name, variables, seconds)
        if name != "ingest":
            return given
        return replace(given, handler="tests.e2e.deaf_ingest.lambda_handler", paths=(*CODE, ROOT))


class TokenTwin(Twin):
    """Its API wants a token in place of a signature, as one behind an authorizer does."""

    def _refusal(self, request: Request) -> Response | None:
        if request.header("authorization") == f"Bearer {TOKEN}":
            return None
        return error_response(HTTPStatus.UNAUTHORIZED, "Unauthorized")


@dataclass(frozen=True, slots=True)
class Place:
    twin: Twin
    environment: Mapping[str, str]

    def start(self, *, wait: int, stack: str = STACK, options: tuple[str, ...] = (), **more: str) -> Any:
        command = [sys.executable, "-m", "local.cloud_check", "--stack", stack, "--wait", str(wait), *options]
        command += ["--config-file", os.devnull]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, CODE))}
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, **self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *, wait: int = ENOUGH_SECONDS, **options: Any) -> tuple[int, str, str]:
        with self.start(wait=wait, **options) as process:
            printed, complained = process.communicate(timeout=4 * ENOUGH_SECONDS)
            return process.returncode, printed, complained

    def keys(self) -> set[str]:
        """Of all versions and delete markers."""
        listed = self.twin.s3.list_object_versions(Bucket=BUCKET)
        return {each["Key"] for kind in ("Versions", "DeleteMarkers") for each in listed.get(kind, [])}


@contextmanager
def place(home: Path, kind: type[Twin] = Twin) -> Iterator[Place]:
    options = TwinOptions(home=home, environment={}, visibility_seconds=5, signed=True)
    with kind(options) as twin, stack_of(twin, STACK, prefix=PREFIX) as environment:
        twin.s3.put_object(Bucket=BUCKET, Key=OTHER, Body=b"The lantern of somebody else has the number 12.")
        yield Place(twin, environment)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("whole")) as found:
        yield found


def outcomes(printed: str) -> dict[str, str]:
    """What became of each step."""
    lines = [line for line in printed.splitlines() if not line.startswith(" ")]
    return {line[:44].strip(): line[44:].split()[0] for line in lines}


def test_in_a_stack_that_is_well_every_step_is_and_nothing_is_left(whole: Place) -> None:
    code, printed, complained = whole.run()
    assert (code, set(outcomes(printed).values()), complained) == (0, {"ok"}, ""), printed + complained
    assert len(outcomes(printed)) == 16
    assert whole.keys() == {OTHER}


def test_the_document_goes_where_it_is_told_to_if_the_stack_reads_there(whole: Place) -> None:
    code, printed, _ = whole.run(options=("--prefix", f"{PREFIX}tenant-a/"))
    assert code == 0, printed
    code, printed, complained = whole.run(options=("--prefix", "elsewhere/"))
    assert (code, printed) == (1, "")
    assert f"only keys that begin with {PREFIX}" in complained


def test_where_folders_are_tenants_nothing_is_uploaded_until_one_is_named(whole: Place) -> None:
    functions = whole.twin.storage.client("lambda")
    for told, refused in (("true", True), ("false", False)):
        functions.update_function_configuration(
            FunctionName=f"{STACK}-reconcile",
            Environment={"Variables": {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE, "TENANT_FOLDERS": told}},
        )
        code, printed, complained = whole.run(wait=FEW_SECONDS, AWS_SECRET_ACCESS_KEY="of nobody")
        assert code == 1
        assert (printed == "") is (f"PREFIX={PREFIX}TENANT/" in complained) is refused
    assert whole.keys() == {OTHER}


def test_a_stack_that_is_not_there_is_said_so(whole: Place) -> None:
    code, printed, complained = whole.run(stack="nowhere")
    assert (code, printed) == (1, "")
    assert complained.startswith("could not check: ")


def test_credentials_that_the_api_does_not_know_fail_and_no_secret_is_shown(whole: Place) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG"
    code, printed, complained = whole.run(wait=FEW_SECONDS, AWS_SECRET_ACCESS_KEY=secret)
    assert code == 1
    assert outcomes(printed)["API and database answer"] == "FAILED"
    assert "403" in printed
    assert secret not in printed + complained
    assert whole.keys() == {OTHER}


def test_a_token_is_sent_in_place_of_a_signature(whole: Place, tmp_path: Path) -> None:
    code, printed, complained = whole.run(wait=FEW_SECONDS, BUCKETWISE_TOKEN=TOKEN)
    assert (code, outcomes(printed)["API and database answer"]) == (1, "FAILED")  # this API wants signatures
    assert "claims" not in printed + complained
    with place(tmp_path, TokenTwin) as behind_authorizer:
        code, printed, _ = behind_authorizer.run(BUCKETWISE_TOKEN=TOKEN)
        assert (code, set(outcomes(printed).values())) == (0, {"ok"}), printed
        code, printed, _ = behind_authorizer.run(wait=FEW_SECONDS)
        assert (code, outcomes(printed)["API and database answer"]) == (1, "FAILED")


def test_ctrl_c_leaves_nothing_in_the_bucket(whole: Place) -> None:
    whole.twin.events.stop()  # so that it waits
    with whole.start(wait=ENOUGH_SECONDS) as process:
        deadline = time.monotonic() + ENOUGH_SECONDS
        while whole.keys() == {OTHER}:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        for _ in range(20):  # impatience
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        printed, _ = process.communicate(timeout=ENOUGH_SECONDS)
    assert process.returncode == 130
    assert outcomes(printed)["cleaned up"] == "ok"
    assert whole.keys() == {OTHER}


def test_without_ingest_it_says_what_to_look_at_and_cleans_up(whole: Place) -> None:
    """The last test: ingest is stopped for good."""
    whole.twin.events.stop()
    code, printed, _ = whole.run(wait=FEW_SECONDS)
    found = outcomes(printed)
    assert (code, found["it is searchable"], found["cleaned up"]) == (1, "FAILED", "ok")
    assert {found[name] for name in ("an answer cites it", "nor is it answered from", "metrics arrive")} == {"skipped"}
    assert "the API said 409" in printed
    assert "look at: the receipt" in printed
    assert whole.keys() == {OTHER}


def test_a_bucket_without_versions_is_checked_as_well(tmp_path: Path) -> None:
    with place(tmp_path) as plain:
        plain.twin.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
        code, printed, _ = plain.run()
        assert (code, set(outcomes(printed).values())) == (0, {"ok"}), printed
        assert plain.keys() == {OTHER}


def test_a_deletion_that_is_not_heard_fails(tmp_path: Path) -> None:
    with place(tmp_path, DeafTwin) as deaf:
        code, printed, _ = deaf.run(wait=FEW_SECONDS)
        found = outcomes(printed)
        assert (code, found["it is deleted, and its receipt says so"], found["cleaned up"]) == (1, "FAILED", "ok")
        assert found["search does not find it"] == "skipped"
        assert deaf.keys() == {OTHER}


def test_an_api_that_answers_anybody_fails(system: System) -> None:
    with stack_of(system.twin, "open") as environment:
        code, printed, _ = Place(system.twin, environment).run(stack="open")
    assert code == 1
    failed = {name for name, outcome in outcomes(printed).items() if outcome != "ok"}
    assert failed == {"an unsigned request is refused", "a wrongly signed request is refused"}
