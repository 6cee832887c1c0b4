"""Benchmarks: each prints one JSON line. They run on the local twin's parts."""

import local  # noqa: F401  # puts the functions' code on the path
