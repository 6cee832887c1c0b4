"""moto's listing of versions made to go on from any marker, and to hold any key, as S3's does.

moto leaves out the first entry after a key that is no longer there, and everything after a version that is not.
"""

from operator import attrgetter
from typing import Any
from urllib.parse import quote_plus

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.moto_server import werkzeug_app
from moto.moto_server.utilities import RegexConverter
from moto.s3 import urls
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response

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


def _listing_with_encoding(self: S3Response) -> TYPE_RESPONSE:
    """moto's reply, with keys in URL encoding if the client asks for it: XML cannot hold all characters."""
    if self.querystring.get("encoding-type") == ["url"]:
        serialized = self.serialized

        def encoded(action_result: ActionResult) -> TYPE_RESPONSE:
            return serialized(ActionResult(_encoded(action_result.result)))

        self.serialized = encoded  # type: ignore[method-assign]  # of this one request
    return _listing(self)


def _encoded(listing: Any) -> dict[str, Any]:
    """What S3 encodes of it ("ListObjectVersions", ``EncodingType``). A space becomes a plus sign."""
    if not isinstance(listing, dict):
        return {}
    encoded = {name: quote_plus(listing[name], safe="/*") for name in _KEYS if listing.get(name)}
    entries = {
        name: [entry | {"Key": quote_plus(entry["Key"], safe="/*")} for entry in listing[name]]
        for name in ("Versions", "DeleteMarkers")
    }
    return listing | encoded | entries | {"EncodingType": "url"}


_KEYS = ("KeyMarker", "NextKeyMarker", "Prefix", "Delimiter")
_listing = S3Response.list_object_versions


class _AnyCharacter(RegexConverter):
    """In the path of a request: keys may hold newlines, too."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


def install() -> None:
    """Makes moto use these buckets, and take all keys that S3 does. Call before the first request."""
    s3_backends.backend = OrderlyBuckets
    S3Response.list_object_versions = _listing_with_encoding  # type: ignore[method-assign]
    werkzeug_app.RegexConverter = _AnyCharacter  # type: ignore[attr-defined]  # imported there by name
