"""The hostile parser on a platform that refuses filters of system calls: shows what only the filter prevents."""

from ingest.sandbox import confinement
from tests.integration.sandbox.hostile_parser import parse

__all__ = ["parse"]

confinement.REFUSED.clear()
