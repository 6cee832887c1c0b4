"""From the upload of a document to its being searchable, through the local twin: S3, queue, handler, database."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import perf_counter

import psycopg

from local.services import BUCKET, TwinOptions
from local.twin import Twin

MOST_SECONDS = 60.0
PAUSE_SECONDS = 0.005


def seconds_to_searchable(home: Path, models: Mapping[str, str], documents: Iterable[str]) -> list[float]:
    """Of each document, uploaded one after the other; the first starts the function, and is left out."""
    with (
        Twin(TwinOptions(home=home, environment=models)) as twin,
        psycopg.connect(twin.index.ingest, autocommit=True) as connection,
    ):
        seconds = [_upload(twin, connection, f"{number}.txt", text) for number, text in enumerate(documents)]
    return seconds[1:]


def _upload(twin: Twin, connection: psycopg.Connection, key: str, text: str) -> float:
    began = perf_counter()
    twin.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    while not _is_searchable(connection, key):
        if perf_counter() - began > MOST_SECONDS:
            raise SystemExit(f"{key} was not searchable after {MOST_SECONDS:g} s")
        time.sleep(PAUSE_SECONDS)
    return perf_counter() - began


def _is_searchable(connection: psycopg.Connection, key: str) -> bool:
    query = "SELECT FROM bucketwise.documents WHERE key = %s AND state = 'indexed'"
    return connection.execute(query, (key,)).fetchone() is not None
