"""The ingest function's own handler with seconds where it has minutes, and a text that kills its worker."""

import os
from dataclasses import replace
from functools import lru_cache
from typing import IO

from ingest import attempts, bucket, composition, handler
from ingest.postponement import Postponement
from tests.e2e.deadly_text import DEADLY

COPY = bucket.StoredObject.copy_to


def copy_or_die(found: bucket.StoredObject, file: IO[bytes], *, most_bytes: int) -> None:
    COPY(found, file, most_bytes=most_bytes)
    file.seek(0)
    if DEADLY in file.read():
        os._exit(1)


@lru_cache(maxsize=1)
def hasty_postponement() -> Postponement:
    return replace(composition.postponement(), first_delay_seconds=0.1)


setattr(bucket.StoredObject, "copy_to", copy_or_die)  # noqa: B010  # mypy forbids to assign to a method
setattr(handler, "postponement", hasty_postponement)  # noqa: B010
handler.RESERVE_SECONDS = 0.5
attempts.BEYOND_SECONDS = 1.0

lambda_handler = handler.lambda_handler
