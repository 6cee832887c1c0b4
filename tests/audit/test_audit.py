"""The audit finds what it is for, and says so when it could not look."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.audit.__main__ import TOOLS, audit_packages, audit_template, exceptions, locks
from tests.unit.template_model import ROOT

pytestmark = pytest.mark.skipif(not TOOLS.is_dir(), reason="there is no .venv-audit: `make audit` fills it")

LOCK = ROOT / "tests" / "emulator" / "requirements.txt"
QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}}
BUCKET: dict[str, Any] = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}


@contextmanager
def vulnerabilities(known: dict[str, str]) -> Iterator[str]:
    """The URL of a service that knows one vulnerability of each of these packages, by OSV's API."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            affected = [{"package": {"name": name, "ecosystem": "PyPI"}}]
            vulns = [{"id": known[name], "summary": "lets strangers in", "affected": affected}] if name in known else []
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name in the class
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_cached_replies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_locked_package_with_a_known_vulnerability_fails_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    with vulnerabilities({"awslambdaric": "OSV-2026-1"}) as service:
        assert audit_packages([LOCK], service) != 0
    assert "OSV-2026-1" in capsys.readouterr().out


def test_packages_that_nothing_is_known_of_pass(capsys: pytest.CaptureFixture[str]) -> None:
    with vulnerabilities({"another": "OSV-2026-2"}) as service:
        assert audit_packages([LOCK], service) == 0
    assert "No known vulnerabilities found" in capsys.readouterr().out


def test_an_audit_that_could_not_ask_says_that_it_was_not_run_and_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with vulnerabilities({}) as service:
        pass
    assert audit_packages([LOCK], service) == 0
    assert capsys.readouterr().out.startswith("pip-audit: not run: no vulnerability service reachable")


def test_a_service_that_hangs_up_could_not_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    class HangsUp(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name in the class
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert audit_packages([LOCK], f"http://127.0.0.1:{server.server_port}/v1/query") == 0
        server.shutdown()
    assert capsys.readouterr().out.startswith("pip-audit: not run")


def test_every_lock_is_audited() -> None:
    named = (ROOT / "Makefile").read_text(encoding="utf-8").split("for folder in ", 1)[1].split(";", 1)[0].split()
    assert {str(path.parent.relative_to(ROOT)) for path in locks()} == set(named)
    assert [path for path in locks() if "--hash=sha256:" not in path.read_text(encoding="utf-8")] == []


def test_a_finding_without_a_reason_and_a_reason_without_a_finding_fail_the_audit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = json.dumps({"Resources": {"Queue": QUEUE, "Bucket": BUCKET}})
    assert audit_template(template, {"CKV_AWS_27", "CKV_AWS_158"}) == 1
    out = capsys.readouterr().out
    assert "CKV_AWS_20" in out  # READ from everybody
    assert "CKV_AWS_27" not in out
    assert "nothing needs the exception CKV_AWS_158" in out


def test_a_template_whose_findings_are_all_excepted_passes() -> None:
    assert audit_template(json.dumps({"Resources": {"Queue": QUEUE}}), {"CKV_AWS_27"}) == 0


def test_every_exception_has_its_reason_beside_it() -> None:
    lines = (ROOT / "tests" / "audit" / "checkov.yaml").read_text(encoding="utf-8").splitlines()
    reasons = {line.split()[1]: line.partition("#")[2] for line in lines if line.strip().startswith("- ")}
    assert reasons.keys() == exceptions()
    assert all(len(reason.split()) > 5 for reason in reasons.values())
