"""What the functions' modules look up when they are imported; nothing here may reach AWS."""

import os
from collections.abc import Iterator

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


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    """All of Powertools' Metrics share what was counted, until a handler writes it."""
    yield
    Metrics(namespace="tests", service="tests").clear_metrics()
