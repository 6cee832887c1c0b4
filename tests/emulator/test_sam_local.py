"""`make invoke` and `make api` for real, where a Docker engine and an image of Lambda's runtime are there."""

import shutil
import socket
import subprocess
import sys
import time

import pytest

from local import ROOT
from local.api import Api
from tests.emulator.test_built_functions import BUILD, MACHINE

OFFLINE_IMAGE = "local/lambda-python:3.13"
AWS_IMAGE = f"public.ecr.aws/lambda/python:3.13-{MACHINE}"
START_SECONDS = 120.0


def has_image(name: str) -> bool:
    command = ["docker", "image", "inspect", name]
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


CONFIG = "offline" if has_image(OFFLINE_IMAGE) else "default"
COMMAND = [sys.executable, "-m", "local.sam", "--template", str(BUILD / "template.yaml"), "--config-env", CONFIG]

pytestmark = [
    pytest.mark.skipif(not (BUILD / "template.yaml").exists(), reason="needs what `make build` makes"),
    pytest.mark.skipif(
        not has_image(OFFLINE_IMAGE) and not has_image(AWS_IMAGE),
        reason="needs a Docker engine that has an image of Lambda's Python 3.13",
    ),
]


def test_make_invoke_runs_an_upload_and_a_question_in_containers() -> None:
    done = subprocess.run([*COMMAND, "invoke", "s3-put", "ask"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    upload, answer = done.stdout.splitlines()
    assert '"outcome": "indexed"' in upload
    assert '"statusCode": 200' in answer


def test_make_api_serves_the_routes_from_containers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*COMMAND, "api", "--port", str(port)], cwd=ROOT, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        api = Api(f"http://127.0.0.1:{port}")
        assert api.get("/health").body["status"] == "ok"
        assert api.post("/search", {"question": "leave"}).status == 200
        assert api.post("/ask", {"question": ""}).status == 422
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
