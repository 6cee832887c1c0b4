"""What the functions' modules look up when they are imported; nothing here may reach AWS."""

import os
from collections.abc import Generator, Iterator

import pytest
from aws_lambda_powertools import Metrics
from hypothesis import settings

for name, value in {
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}.items():
    os.environ.setdefault(name, value)

# Looks for longer than a build may take: --hypothesis-profile thorough
settings.register_profile("thorough", max_examples=2000, stateful_step_count=60, deadline=None)


# What common fixtures ask, find and are told, which no line that a function logs may hold, in whatever test it does.
NEVER_LOGGED = ("How much leave do I get?", "Leave is 25 days", "handbook.md")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test also fails if it made a function log what is private: a line of JSON, as Powertools writes them."""
    report = yield
    if call.when == "call" and report.passed:
        lines = (line for _, text in report.sections for line in text.splitlines() if line.startswith('{"'))
        private = [line for line in lines if any(word in line for word in NEVER_LOGGED)]
        if private:
            report.outcome = "failed"
            report.longrepr = "logged what is private:\n" + "\n".join(private)
    return report


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    """All of Powertools' Metrics share what was counted, until a handler writes it."""
    yield
    Metrics(namespace="tests", service="tests").clear_metrics()
