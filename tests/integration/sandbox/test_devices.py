"""In a folder of devices like Lambda's, where /dev/fd has the first three descriptors and no others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import CODE, ROOT

DEVICES = """
set -e
cd "$1"; shift
mkdir -p dev/fd
for each in null zero random urandom; do touch dev/$each; mount --bind /dev/$each dev/$each; done
for each in 0 1 2; do ln -s /proc/self/fd/$each dev/fd/$each; done
mount --rbind dev /dev
cd "$1"; shift
exec "$@"
"""
READS = """
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.scratch import scratch_file

sandbox = Sandbox(SandboxLimits(memory_bytes=1 << 30), print)
with scratch_file() as (file, path):
    file.write(b"Trains leave at noon.")
    file.flush()
    with sandbox.parse(path, key="a.txt", content_type=None) as document:
        print(*(block.text for block in document.blocks))
sandbox.close()
"""


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "--mount", "true"], check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount, in a namespace of its own")
def test_a_document_is_read_where_dev_fd_does_not_have_its_descriptor(tmp_path: Path) -> None:
    command = ["unshare", "--mount", "sh", "-c", DEVICES, "sh", str(tmp_path), str(ROOT), sys.executable, "-c", READS]
    path = ":".join(map(str, CODE))
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path}, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("Trains leave at noon.\n", 0), done.stderr
