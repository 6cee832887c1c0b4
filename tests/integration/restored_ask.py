"""An environment of the ask function that is copied after it has answered, as no other test of a process can be.

Prints a line of JSON for each moment. A fork stands for a copy: the same memory, which goes on by itself. PYTHONPATH
must have the function's code, and ``runtime_of_lambda``.
"""

import json
import os
import random
import sys
import time
from typing import Any

import snapshot_restore_py

from ask.handler import lambda_handler
from tests.integration.open_connections import connections
from tests.unit.fakes import LambdaContext, http_event

COPIES = 2
WEEK_SECONDS = 7 * 86_400.0


def say(moment: str, **what: Any) -> None:
    line = json.dumps({"moment": moment, "connections": connections(), **what})
    os.write(int(sys.argv[1]), f"{line}\n".encode())


def ask() -> int:
    body = json.dumps({"question": "How much leave do I get?"})
    return int(lambda_handler(http_event("POST", "/search", body), LambdaContext())["statusCode"])


def go_on_elsewhere(chance: Any) -> None:
    """A week later, in one of the copies."""
    random.setstate(chance)  # which Python draws anew in a fork, and Lambda does not in a copy
    now = time.time
    time.time = lambda: now() + WEEK_SECONDS
    snapshot_restore_py.restore()
    say("restored", chance=random.random(), status=ask())  # noqa: S311  # chance is what is looked at


def main() -> None:
    say("imported")
    say("answered", statuses=[ask() for _ in range(6)])
    input()  # the test changes the secret now
    snapshot_restore_py.take_snapshot()
    say("snapshot")
    chance = random.getstate()
    for _ in range(COPIES):
        child = os.fork()
        if child == 0:
            go_on_elsewhere(chance)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


main()
