"""A function in a process of its own: prints what the child's deeds came to, as JSON.

It has a listening socket on 127.0.0.1 that stands for Lambda's runtime API, and says whether that was reached. Called
with ``unprotected``, it neither hides from its child nor has calls refused: the deeds show what they can do.
"""

import json
import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.sandbox import client
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss

PARSER = "tests.integration.sandbox.hostile_parser"
UNFILTERED = "tests.integration.sandbox.unfiltered_parser"


DEEDS = (
    "environment_of_function", "memory_of_function", "memory_of_server", "descriptors_of_function", "runtime_api",
    "open_sockets",
)  # fmt: skip


def main(*, protected: bool) -> None:
    losses: list[Loss] = []
    if not protected:
        setattr(client, "hide_from_children", lambda: None)  # noqa: B010  # mypy forbids what is not exported
    parser = PARSER if protected else UNFILTERED
    with (
        TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as runtime,
        closing(Sandbox(SandboxLimits(), losses.append, parser)) as sandbox,
    ):
        file = Path(folder, "file")
        port = runtime.getsockname()[1]
        file.write_text(" ".join(DEEDS).replace("runtime_api", f"runtime_api:{port}"), encoding="ascii")
        with sandbox.parse(file, key="key", content_type=None) as document:
            said = [block.text for block in document.blocks][1:]
        runtime.settimeout(0.2)
        try:
            runtime.accept()
            reached = True
        except TimeoutError:
            reached = False
    print(json.dumps({"user": os.geteuid(), "said": dict(zip(DEEDS, said, strict=True)), "reached": reached}))  # noqa: T201  # for the test


if __name__ == "__main__":
    main(protected="unprotected" not in sys.argv)
