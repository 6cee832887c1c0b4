"""Benchmarks: each prints one JSON line. They run on the local twin's parts."""

import os

import local  # noqa: F401  # puts the functions' code on the path

# Powertools reads these when its objects are made, which is when the functions' code is imported.
os.environ |= {
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "AWS_DEFAULT_REGION": "us-east-1",
}
