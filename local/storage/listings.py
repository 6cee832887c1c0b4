"""moto's listing of versions made to go on from any marker, as S3's does.

moto leaves out the first entry after a key that is no longer there, and everything after a version that is not.
"""

from operator import attrgetter
from typing import Any

from moto.s3 import urls
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends

Entry = FakeKey | FakeDeleteMarker
Page = tuple[list[FakeKey], list[str], list[FakeDeleteMarker], str | None, str | None]


class OrderlyBuckets(S3Backend):
    """The S3 of one partition."""

    @property
    def _url_module(self) -> Any:  # moto looks for it beside the class it finds
        return urls

    def list_object_versions(
        self,
        bucket_name: str,
        delimiter: str | None = None,
        key_marker: str | None = None,
        max_keys: int | None = 1000,
        prefix: str = "",
        version_id_marker: str | None = None,
    ) -> Page:
        """What comes after the marked version, or after all of the marked key if no version of it is marked."""
        if delimiter:
            return super().list_object_versions(bucket_name, delimiter, key_marker, max_keys, prefix, version_id_marker)
        objects, _, markers, _, _ = super().list_object_versions(bucket_name, max_keys=None, prefix=prefix)
        # Stable: versions of one key stay as they were, the newest first.
        found: list[Entry] = [*objects, *markers]
        newest_first = sorted(found, key=attrgetter("last_modified"), reverse=True)
        entries = _after(sorted(newest_first, key=attrgetter("name")), key_marker, version_id_marker)
        page = entries[:max_keys]
        last = page[-1] if page and len(page) < len(entries) else None
        return (
            [entry for entry in page if isinstance(entry, FakeKey)],
            [],
            [entry for entry in page if isinstance(entry, FakeDeleteMarker)],
            last.name if last else None,
            last.version_id if last else None,
        )


def _after(entries: list[Entry], key: str | None, version: str | None) -> list[Any]:
    if not key:
        return entries
    rest = [entry for entry in entries if entry.name > key]
    of_key = [entry for entry in entries if entry.name == key]
    for number, entry in enumerate(of_key):
        if entry.version_id == version:
            return of_key[number + 1 :] + rest
    return rest


def install() -> None:
    """Makes moto use these buckets. Call before the first request."""
    s3_backends.backend = OrderlyBuckets
