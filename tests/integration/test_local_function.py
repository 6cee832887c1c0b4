"""The twin's Lambda: environments that import once, are reused, and end with whoever started them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.environment import Configuration, FunctionError
from local.function import Function, Throttled

ROOT = Path(__file__).parents[2]
HANDLERS = "tests.integration.handlers_for_tests"

MakeFunction = Callable[..., Function]


@pytest.fixture
def make_function(tmp_path: Path) -> Iterator[MakeFunction]:
    with ExitStack() as stack:

        def make(handler: str, *, concurrency: int = 1, **settings: Any) -> Function:
            configuration = Configuration(
                name="probe", handler=handler, log_file=tmp_path / "probe.log", paths=[ROOT], **settings
            )
            return stack.enter_context(Function(configuration, concurrency=concurrency))

        yield make


def error_of(function: Function, event: Any) -> FunctionError:
    with pytest.raises(FunctionError) as caught:
        function.invoke(event)
    return caught.value


def is_running(pid: int) -> bool:
    """Whether ``pid`` is a process that has not ended; a zombie has."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return listing.stdout.strip() not in ("", "Z", "Zs", "Z+")


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_an_event_comes_back_as_it_went(make_function: MakeFunction) -> None:
    event = {"text": "Zürich\n\u2028", "list": [1, 2.5, None, True], "large": "x" * 300_000}
    assert make_function(f"{HANDLERS}.echo").invoke(event) == event


def test_a_warm_environment_serves_the_next_event(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.process", concurrency=4)
    assert function.invoke({}) == function.invoke({})


def test_events_at_the_same_time_are_served_by_different_environments(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act", concurrency=2)
    with ThreadPoolExecutor(4) as callers:
        processes = list(callers.map(function.invoke, [{"sleep": 0.3}] * 4))
    assert len(set(processes)) == 2


def test_a_call_is_throttled_when_all_environments_stay_busy(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act")
    with ThreadPoolExecutor(1) as callers:
        busy = callers.submit(function.invoke, {"sleep": 0.6})
        assert wait_for(busy.running)
        with pytest.raises(Throttled):
            function.invoke({}, wait_seconds=0.1)
        assert function.invoke({}) == busy.result()


def test_the_context_and_the_variables_are_those_of_lambda(make_function: MakeFunction) -> None:
    seen = make_function(f"{HANDLERS}.describe", timeout_seconds=5, memory_mb=512).invoke({})
    context, variables = seen["context"], seen["variables"]
    assert context["function_name"] == "probe"
    assert context["memory_limit_in_mb"] == variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert context["invoked_function_arn"] == "arn:aws:lambda:us-east-1:123456789012:function:probe"
    assert context["log_group_name"] == "/aws/lambda/probe"
    assert variables["_HANDLER"] == f"{HANDLERS}.describe"
    assert variables["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert 4000 < seen["remaining_ms"] <= 5000


def test_an_environment_sees_only_the_variables_it_was_given(
    make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of the developer")
    seen = make_function(f"{HANDLERS}.describe", variables={"BUCKET": "documents"}).invoke({})
    assert seen["variables"]["BUCKET"] == "documents"
    assert "OPENAI_API_KEY" not in seen["variables"]


def test_every_invocation_has_its_own_request_id(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.describe")
    assert len({function.invoke({})["context"]["aws_request_id"] for _ in range(3)}) == 3


def test_an_exception_is_an_error_and_the_environment_stays_warm(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act")
    before = function.invoke({})
    error = error_of(function, {"raise": "no such thing"})
    assert (error.error_type, error.message) == ("LookupError", "no such thing")
    assert function.invoke({}) == before


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("no.such.module.handler", "Runtime.ImportModuleError"),
        (f"{HANDLERS}.no_such_handler", "Runtime.HandlerNotFound"),
        ("handler", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_reported_every_time(
    make_function: MakeFunction, handler: str, error_type: str
) -> None:
    function = make_function(handler)
    assert [error_of(function, {}).error_type for _ in range(2)] == [error_type] * 2


def test_a_result_that_json_cannot_hold_is_an_error(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act")
    assert error_of(function, {"unserialisable": True}).error_type == "Runtime.MarshalError"


def test_a_result_over_six_megabytes_is_an_error(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act")
    assert error_of(function, {"repeat": 6 * 1024 * 1024}).error_type == "Function.ResponseSizeTooLarge"


def test_a_crash_is_an_error_and_the_next_event_finds_a_new_environment(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act")
    before = function.invoke({})
    error = error_of(function, {"exit": 3})
    assert error.error_type == "Runtime.ExitError"
    assert error.message.endswith("exit status 3")
    assert function.invoke({}) != before


def test_an_environment_that_died_while_idle_is_replaced_without_an_error(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.process")
    before = function.invoke({})
    os.kill(before, signal.SIGKILL)
    assert wait_for(lambda: not is_running(before))
    time.sleep(0.05)
    assert function.invoke({}) != before


def test_a_time_out_kills_what_the_handler_started_and_the_next_event_works(
    make_function: MakeFunction, tmp_path: Path
) -> None:
    sleeping = make_function(f"{HANDLERS}.start_sleeper", timeout_seconds=1)
    error = error_of(sleeping, {"file": str(tmp_path / "pids")})
    assert error.error_type == "Sandbox.Timedout"
    assert error.message.endswith("Task timed out after 1.00 seconds")
    assert error.message in (tmp_path / "probe.log").read_text()
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert wait_for(lambda: not any(map(is_running, pids)))
    assert error_of(sleeping, {"file": str(tmp_path / "pids")}).error_type == "Sandbox.Timedout"


def test_what_a_handler_prints_is_in_the_log_before_its_result(make_function: MakeFunction, tmp_path: Path) -> None:
    function = make_function(f"{HANDLERS}.act")
    function.invoke({"print": '{"level": "INFO"}'})
    assert '{"level": "INFO"}\n' in (tmp_path / "probe.log").read_text()
    error_of(function, {"raise": "no such thing"})
    assert "LookupError: no such thing" in (tmp_path / "probe.log").read_text()


def test_an_interrupt_from_the_terminal_does_not_end_an_environment(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.process")
    pid = function.invoke({})
    os.kill(pid, signal.SIGINT)
    time.sleep(0.1)
    assert function.invoke({}) == pid


def test_closing_ends_idle_and_busy_environments(make_function: MakeFunction) -> None:
    function = make_function(f"{HANDLERS}.act", concurrency=2, timeout_seconds=30)
    idle_and_busy: list[BaseException | int] = [function.invoke({})]

    def hang() -> None:
        try:
            function.invoke({"sleep": 20})
        except FunctionError as error:
            idle_and_busy.append(error)

    caller = threading.Thread(target=hang)
    caller.start()
    time.sleep(0.2)
    started = time.monotonic()
    function.close()
    caller.join(2)
    assert time.monotonic() - started < 2
    idle, busy = idle_and_busy
    assert isinstance(idle, int)
    assert not is_running(idle)
    assert isinstance(busy, FunctionError)
    assert busy.error_type == "Runtime.ExitError"
    with pytest.raises(Throttled):
        function.invoke({})


ORPHANING = """
import sys
from pathlib import Path
from local.environment import Configuration
from local.function import Function

log, pids = Path(sys.argv[1]), sys.argv[2]
handler = "tests.integration.handlers_for_tests.start_sleeper"
paths = [Path(sys.argv[3])]
Function(Configuration(name="x", handler=handler, log_file=log, paths=paths, timeout_seconds=60)).invoke({"file": pids})
"""


def test_a_busy_environment_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = [sys.executable, "-c", ORPHANING, str(tmp_path / "log"), str(pids), str(ROOT)]
    parent = subprocess.Popen(command, cwd=ROOT)
    try:
        assert wait_for(pids.exists)
    finally:
        parent.kill()
        parent.wait()
    environment, sleeper = (int(pid) for pid in pids.read_text().split())
    assert wait_for(lambda: not is_running(environment) and not is_running(sleeper))
