"""The README's commands and examples are true."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import System

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
CURLS = [line for line in COMMANDS if line.startswith("curl ") and "--aws-sigv4" not in line]
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
    assert set(COMMANDS) == MAKES | set(CURLS) | set(IN_AN_ACCOUNT)


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
    assert shown["timings_ms"].keys() == answer["timings_ms"].keys()


def test_the_sidecar_and_the_filters_in_the_readme_are_taken(system: System) -> None:
    [sidecar] = [example for example in EXAMPLES if "party" in example]
    [filters] = [example for example in EXAMPLES if "prefix" in example]
    system.put("contracts/2021/a.txt.metadata.json", json.dumps(sidecar))
    system.put("contracts/2021/a.txt", "Either party may terminate with ninety days' notice.")
    system.put("contracts/draft.pdf", "Either party may terminate at once.")
    found = system.search("When may a party terminate?", filters=filters)
    assert {passage["key"] for passage in found} == {"contracts/2021/a.txt"}
