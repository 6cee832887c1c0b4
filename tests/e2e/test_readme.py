"""The README's commands and examples are true."""

import json
import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from bucketwise.callers import callers_from_json
from local import CODE
from local.authorizer import TokenAuthorizer
from local.environment import Configuration
from local.function import Function
from local.gateway import Gateway
from tests.e2e.conftest import System
from tests.integration.oidc_provider import AUDIENCE, CLIENT, SECRET, TOKEN, oidc_provider

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
WITH_TOKEN = [line for line in COMMANDS if "TOKEN=$(" in line or "$TOKEN" in line]
CURLS = [line for line in COMMANDS if line.startswith("curl ") and "--aws-sigv4" not in line and line not in WITH_TOKEN]
# Each runs elsewhere: `make demo` and `make dev` in test_programs, the benchmark in test_bench_retrieval, estimates in
# test_estimate, invoke and api in test_sam_local, this suite by itself.
MAKES = {
    "make demo",
    "make dev",
    "make test",
    "make bench BEIR=path/to/corpus",
    "make estimate DIR=examples/documents",
    "make estimate BUCKET=my-bucket PREFIX=reports/",
    'make invoke EVENTS="s3-put ask"',
    "make api PORT=3000",
}
# What needs an account can only be compared with the template, or with a stand-in, as in test_reindex_function and
# test_cloud_check.
IN_AN_ACCOUNT = [
    line
    for line in COMMANDS
    if re.match(r"make deploy|make reindex|make cloud-check|aws |sam |curl .*--aws-sigv4", line)
]


def test_every_command_of_the_readme_is_tested() -> None:
    assert set(COMMANDS) == MAKES | set(CURLS) | set(WITH_TOKEN) | set(IN_AN_ACCOUNT)


@pytest.mark.parametrize("command", CURLS)
def test_a_curl_of_the_readme_works(system: System, command: str) -> None:
    done = subprocess.run(
        ["bash", "-c", command.replace("curl -s", "curl -sS --fail-with-body")],
        env={"API": system.twin.url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, as the README's command does")
def test_a_token_of_a_provider_is_got_and_sent_as_the_readme_says(system: System, tmp_path: Path) -> None:
    with oidc_provider(tmp_path) as provider, ExitStack() as running:
        configuration = Configuration(
            name="bucketwise-authorize",
            handler="authorize.handler.lambda_handler",
            log_file=tmp_path / "authorize.log",
            variables={
                "JWT_ISSUER": provider.issuer,
                "JWT_AUDIENCE": AUDIENCE,
                "SSL_CERT_FILE": str(provider.certificate),
                "POWERTOOLS_TRACE_DISABLED": "true",
            },
            paths=CODE,
            timeout_seconds=15.0,
        )
        authorizer = TokenAuthorizer(running.enter_context(Function(configuration)))
        gateway = Gateway(system.twin.ask, authorizer=authorizer)
        gateway.start()
        running.callback(gateway.stop)
        variables = {
            "TOKEN_URL": f"{provider.issuer}{TOKEN}",
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": SECRET,
            "API_URL": gateway.url,
            "CURL_CA_BUNDLE": str(provider.certificate),
            "PATH": "/usr/bin:/bin",
        }
        answers = [
            json.loads(subprocess.run(["bash", "-c", script], env=variables, capture_output=True, check=True).stdout)
            for script in ("\n".join(WITH_TOKEN), "\n".join(["TOKEN=none", *WITH_TOKEN[1:]]))
        ]
    assert "answered" in answers[0]
    assert answers[1] == {"message": "Unauthorized"}


def test_the_map_of_callers_in_the_readme_is_one() -> None:
    [shown] = [example for example in EXAMPLES if any(name.startswith("arn:") for name in example)]
    assert callers_from_json(json.dumps(shown)) == shown


def test_the_answer_in_the_readme_is_the_answer(system: System) -> None:
    [shown] = [example for example in EXAMPLES if "answer" in example]
    question = "How many days of annual leave do shore staff have?"
    answer = system.ask(question, cache=True, filters={"prefix": "handbook"})  # which no other test asks
    changing = {"version", "url"}
    [cited], [expected] = answer["citations"], shown["citations"]
    assert {name: cited[name] for name in expected if name not in changing} == {
        name: expected[name] for name in expected if name not in changing
    }
    assert (answer["answer"], answer["answered"]) == (shown["answer"], shown["answered"])
    assert shown.keys() <= answer.keys()
    assert shown["usage"].keys() == answer["usage"].keys()
    # With filters, keywords are not searched ahead.
    assert shown["timings_ms"].keys() == answer["timings_ms"].keys() | {"keywords"}


def test_the_sidecar_and_the_filters_in_the_readme_are_taken(system: System) -> None:
    [sidecar] = [example for example in EXAMPLES if "party" in example]
    [filters] = [example for example in EXAMPLES if "prefix" in example]
    system.put("contracts/2021/a.txt.metadata.json", json.dumps(sidecar))
    system.put("contracts/2021/a.txt", "Either party may terminate with ninety days' notice.")
    system.put("contracts/draft.pdf", "Either party may terminate at once.")
    found = system.search("When may a party terminate?", filters=filters)
    assert {passage["key"] for passage in found} == {"contracts/2021/a.txt"}
