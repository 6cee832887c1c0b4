"""The bucket's side of a reconciliation: what is current under each key, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bucketwise.errors import BucketUnavailable
from ingest.bucket import is_folder
from ingest.differences import ListedObject


@dataclass(frozen=True, slots=True)
class BucketListing:
    """``client`` is boto3's S3 client. Only keys that begin with ``prefix`` are listed."""

    client: Any
    bucket: str
    prefix: str = ""

    def after(self, key: str) -> Iterator[ListedObject]:
        """What stands on top under every later key, in the order of the keys' bytes. Raises BucketUnavailable.

        boto3 asks for keys in URL encoding, as XML cannot hold every character, and decodes them.
        """
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=self.prefix, **({"KeyMarker": key} if key else {})
        )
        try:
            for page in pages:
                yield from (found for found in _on_top(page) if found.key > key)
        except ClientError as error:
            raise BucketUnavailable(f"S3 answered {error.response['ResponseMetadata']['HTTPStatusCode']}") from None
        except BotoCoreError as error:
            raise BucketUnavailable(f"S3 did not answer ({type(error).__name__})") from None


def _on_top(page: dict[str, Any]) -> list[ListedObject]:
    """S3 lists versions and delete markers apart. One of each key is the latest, and it comes before all others."""
    objects = [_object(item) for item in page.get("Versions", []) if item["IsLatest"]]
    markers = [_marker(item) for item in page.get("DeleteMarkers", []) if item["IsLatest"]]
    # A key with NUL cannot stand in the index.
    return sorted((found for found in objects + markers if "\0" not in found.key), key=attrgetter("key"))


def _object(item: dict[str, Any]) -> ListedObject:
    version = item.get("VersionId")
    return ListedObject(
        key=item["Key"],
        version=version if version != "null" else None,
        etag=item["ETag"].strip('"'),
        size=item["Size"],
        last_modified=item["LastModified"],
        present=not is_folder(item["Key"], item["Size"]),
    )


def _marker(item: dict[str, Any]) -> ListedObject:
    return ListedObject(item["Key"], None, "", 0, item["LastModified"], present=False)
