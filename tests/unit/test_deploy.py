"""What `make deploy` hands to SAM."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bucketwise.callers import callers_from_json
from local.callers import shortened
from local.deploy import MIGRATIONS, NotDeployable, arguments, migration_hash, own_parameters, parameters_from
from tests.unit.template_model import ROOT, SAM, needs_sam, parameter, refused

GIVEN = {
    "arn:aws:iam::123456789012:role/a": 'O\'Hara & "Sons" \\\\',
    "arn:aws:iam::123456789012:user/b": "Käse 🧀 $HOME",
}


def read_by_sam(pairs: list[str]) -> dict[str, str]:
    """Parameters, as SAM reads its command line."""
    needs_sam()
    reader = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
        "print(json.dumps(Type().convert(tuple(sys.argv[1:]), None, None)))"
    )
    done = subprocess.run([SAM / "python", "-c", reader, *pairs], capture_output=True, text=True, check=True)
    told: dict[str, str] = json.loads(done.stdout)
    return told


def test_a_new_stack_is_made_by_questions_and_one_that_is_there_is_upgraded_without() -> None:
    own = {"Architecture": "arm64"}
    assert arguments(there=False, overrides=own) == ["--guided", "--parameter-overrides", "Architecture='arm64'"]
    upgrade = arguments(there=True, overrides=own)
    assert "--guided" not in upgrade
    assert {"--resolve-s3", "--confirm-changeset", "CAPABILITY_IAM"} <= set(upgrade)
    assert upgrade[-2:] == ["--parameter-overrides", "Architecture='arm64'"]


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_overridden_but_what_is_the_deployments_own_and_what_is_named(there: bool) -> None:
    named = parameters_from("AskConcurrency=10 AnswerModel='two words' OpenAiBaseUrl= JwtAudience=\"a=b\"")
    overrides = named | {"Callers": shortened(json.dumps(GIVEN))} | own_parameters()
    command = arguments(there=there, overrides=overrides)
    told = read_by_sam(command[command.index("--parameter-overrides") + 1 :])
    assert told == overrides
    assert callers_from_json(told["Callers"]) == GIVEN
    assert re.fullmatch(parameter("Callers")["AllowedPattern"], told["Callers"])
    assert re.fullmatch(parameter("Release")["AllowedPattern"], told["Release"])
    assert named == {"AskConcurrency": "10", "AnswerModel": "two words", "OpenAiBaseUrl": "", "JwtAudience": "a=b"}
    assert own_parameters().keys() == {"Architecture", "MigrationHash", "Release"}
    assert parameters_from("") == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NatGatway=false", "NatGatway is no parameter of the template"),
        ("ModelIsReachable=x", "is no parameter of the template"),  # a rule
        ("NatGateway", "NatGateway is not NAME=VALUE"),
        ("NatGateway='false", "No closing quotation"),
        ("Architecture=x86_64", "Architecture is set by `make deploy` itself"),
        ('AnswerModel="it\'s"', "quote"),
    ],
)
def test_parameters_that_sam_would_pass_over_or_misread_are_refused(text: str, why: str) -> None:
    with pytest.raises(NotDeployable, match=why):
        parameters_from(text)


def test_a_file_that_is_no_map_of_callers_is_refused_before_anything_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "callers.json").write_text("{", encoding="utf-8")
    given = ["--sam", "sam", "--template-file", "x", "--stack", "x", "--callers", str(tmp_path / "callers.json")]
    command = [sys.executable, "-m", "local.deploy", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not JSON" in done.stderr


def test_the_parameters_that_the_documents_give_to_make_are_taken() -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/operations.md"))
    examples = re.findall(r'PARAMETERS="(.*?)"', text)
    assert len(examples) >= 3
    assert all(parameters_from(example) for example in examples)
    needs_sam()
    assert {example: reasons for example in examples if (reasons := refused(**parameters_from(example)))} == {}


def test_the_hash_is_of_all_migrations_in_their_order() -> None:
    whole = b"".join(path.read_bytes() for path in sorted(MIGRATIONS.iterdir()) if path.suffix == ".sql")
    assert migration_hash(MIGRATIONS) == hashlib.sha256(whole).hexdigest()[:16]


@pytest.mark.skipif(shutil.which("shasum") is None, reason="needs shasum, which made the hash of stacks that there are")
def test_the_hash_is_the_one_that_stacks_have_from_before() -> None:
    done = subprocess.run(["bash", "-c", "cat *.sql | shasum -a 256"], cwd=MIGRATIONS, capture_output=True, check=True)
    assert done.stdout.decode()[:16] == migration_hash(MIGRATIONS)


def made(folder: Path, *arguments: str) -> list[list[str]]:
    """What `make deploy` runs, but for the build."""
    python = folder / "python"
    python.write_text(f"#!{sys.executable}\nimport json, sys; print(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    python.chmod(0o755)
    old = ["--old-file", ".venv/.demo", "--old-file", ".venv-sam/.filled"]
    command = ["make", "--silent", *old, "deploy", f"BIN={folder}", "MAKE=true", *arguments]
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, cwd=ROOT, env=inherited, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_make_checks_before_it_builds_and_hands_on_stack_callers_and_parameters(tmp_path: Path) -> None:
    check, run = made(tmp_path)
    assert check == [*run, "--check"]
    assert run[-2:] == ["--stack", "bucketwise"]
    _, run = made(
        tmp_path, "STACK=papers", "CALLERS=my callers.json", 'PARAMETERS=AskConcurrency=10 AnswerModel="a \'b"'
    )
    given = [
        "--stack",
        "papers",
        "--callers",
        "my callers.json",
        "--parameters",
        'AskConcurrency=10 AnswerModel="a \'b"',
    ]
    assert run[-6:] == given
