"""How the check of a stack proves who it is, and what it takes for final."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials

from local import ROOT
from local.api import Reply
from local.cloud_check.callers import AnonymousCaller, BearerCaller, Caller, SigningCaller
from local.cloud_check.calls import NotYet, SignedApi, StepFailed, body_of, opened, wait_for
from local.cloud_check.stack import Stack, StackUnreadable
from local.proxy_format import Request
from local.signature import SignatureCheck

KEYS = ReadOnlyCredentials("AKIAKNOWN", "known secret", None)
SIGNATURES = SignatureCheck({"AKIAKNOWN": "known secret"}, "us-east-1")
TOKEN = "head.claims.signature"


@dataclass
class Door:
    """An API that says who it took the caller for."""

    url: str


@contextmanager
def door() -> Iterator[Door]:
    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request("POST", self.path, list(self.headers.items()), body, "127.0.0.1")
            bearer = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            signed = SIGNATURES.refusal(request) is None
            self.send_response(200 if bearer or signed else 403)
            self.end_headers()
            self.wfile.write(json.dumps({"bearer": bearer, "signed": signed}).encode())

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Says nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Keeper)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield Door(f"http://127.0.0.1:{server.server_port}/live")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (SigningCaller(KEYS, "us-east-1"), (200, {"bearer": False, "signed": True})),
        (BearerCaller(TOKEN), (200, {"bearer": True, "signed": False})),
        (SigningCaller(KEYS, "us-east-1").forged(), (403, {"bearer": False, "signed": False})),
        (BearerCaller(TOKEN).forged(), (403, {"bearer": False, "signed": False})),
        (AnonymousCaller(), (403, {"bearer": False, "signed": False})),
    ],
)
def test_a_caller_is_who_it_says_and_a_forged_one_is_not(caller: Caller, seen: tuple[int, Any]) -> None:
    with door() as found:
        reply = SignedApi(found.url, caller).post("/ask", {"question": "Wie heißt er?"})
    assert (reply.status, reply.body) == seen


def test_what_may_pass_is_waited_for_and_what_will_not_is_said_at_once() -> None:
    replies = [Reply(503, {}, {"title": "The database is waking up."}), Reply(409, {}, {}), Reply(200, {}, {"a": 1})]
    assert wait_for(lambda: body_of(replies.pop(0)), seconds=5) == {"a": 1}
    with pytest.raises(StepFailed, match="422: Not readable: Upload another"):
        body_of(Reply(422, {}, {"title": "Not readable", "hint": "Upload another"}))
    with pytest.raises(StepFailed, match="429"):
        body_of(Reply(429, {}, {"type": "urn:bucketwise:problem:budget-exceeded"}))
    with pytest.raises(NotYet):
        body_of(Reply(429, {}, {"type": "about:blank"}))
    with pytest.raises(StepFailed, match="200"):
        body_of(Reply(200, {}, None))  # a page of a proxy


def test_waiting_has_an_end_and_tells_what_was_seen_last() -> None:
    with pytest.raises(StepFailed, match=r"after 0.1 s, the API said 503"):
        wait_for(lambda: body_of(Reply(503, {}, None)), seconds=0.1)


def test_an_api_that_is_not_there_is_a_failed_step() -> None:
    with pytest.raises(StepFailed, match="no reply"):
        SignedApi("http://127.0.0.1:9", AnonymousCaller()).post("/ask", {})


def test_a_link_that_is_no_web_address_is_not_opened() -> None:
    with pytest.raises(StepFailed, match="no web address"):
        opened("file:///etc/hostname")


@pytest.mark.parametrize(
    ("tenant_folders", "prefix", "place"),
    [
        (False, None, "reports/"),
        (False, "reports/2024", "reports/2024"),
        (True, "reports/acme/", "reports/acme/"),
        (True, "reports/acme/2024", "reports/acme/2024"),
        (True, None, "PREFIX=reports/TENANT/"),
        (True, "reports/", "PREFIX=reports/TENANT/"),
        (True, "reports/acme", "PREFIX=reports/TENANT/"),  # of which the document's own folder would go on
    ],
)
def test_where_folders_are_tenants_the_document_must_lie_in_one_that_was_named(
    tenant_folders: bool, prefix: str | None, place: str
) -> None:
    stack = Stack("https://api", "bucket", "https://queue", "us-east-1", "reports/", "Bucketwise", tenant_folders)
    if place.startswith("PREFIX="):
        with pytest.raises(StackUnreadable, match=place):
            stack.place(prefix)
    else:
        assert stack.place(prefix) == place


def made(folder: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """What `make cloud-check` runs: its arguments, and the token that it is given."""
    python = folder / "python"
    program = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ.get('BUCKETWISE_TOKEN')]))"
    python.write_text(f"#!{sys.executable}\n{program}\n", encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "--silent", "--old-file", ".venv/.demo", "cloud-check", f"BIN={folder}", *arguments]
    inherited = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=True)
    run, token = json.loads(done.stdout.splitlines()[-1])
    return {"run": run, "token": token}


def test_make_hands_on_stack_and_prefix_and_no_token_that_was_not_meant_for_it(tmp_path: Path) -> None:
    plain = made(tmp_path, "STACK=papers", TOKEN="of something else")
    assert plain == {"run": ["-m", "local.cloud_check", "--stack", "papers"], "token": ""}
    given = made(tmp_path, "STACK=papers", "PREFIX=a b/", "TOKEN=jwt")
    assert given["run"] == ["-m", "local.cloud_check", "--stack", "papers", "--prefix", "a b/"]
    assert given["token"] == made(tmp_path, "STACK=papers", BUCKETWISE_TOKEN="jwt")["token"] == "jwt"
