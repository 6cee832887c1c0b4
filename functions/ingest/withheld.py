"""Objects that S3 shows but does not give: in an archive, or encrypted with a key that it does not keep.

That is told of one object alone. What it says of a right or of a KMS key may hold for all of them, and may be mended
for all of them: that is an outage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from bucketwise.errors import UnreadableDocument
from bucketwise.models import FailureReason

ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}


@dataclass(frozen=True, slots=True)
class Withheld:
    """In the place of a body. Reading it raises UnreadableDocument."""

    reason: FailureReason
    hint: str

    def read(self, _size: int, /) -> NoReturn:
        raise UnreadableDocument(self.reason, self.hint)

    def close(self) -> None:
        """There is nothing to close."""


ARCHIVED = Withheld(
    FailureReason.ARCHIVED,
    "The object is in an archive (S3 Glacier). Restore it, and have it tried again by POST /retries.",
)
ENCRYPTED = Withheld(
    FailureReason.ENCRYPTED,
    "The object is encrypted with its uploader's own key (SSE-C), which S3 does not keep. Upload it without one.",
)


def withheld_object(client: Any, bucket: str, key: str, refusal: ClientError) -> dict[str, Any]:
    """What GetObject would have replied of the object that it refused, with a Withheld as its body.

    ``client`` is boto3's. Raises what that raises, and ``refusal`` unless it is of this object alone. The reply is of a
    version that is refused, though another may have been stored since the refusal.
    """
    if refusal.response["Error"]["Code"] == "InvalidObjectState":
        found: dict[str, Any] = client.head_object(Bucket=bucket, Key=key)
        if is_archived(found):
            return found | {"Body": ARCHIVED}
    elif _wants_a_key(refusal):
        return _encrypted_object(client, bucket, key, refusal)
    raise refusal


def is_archived(reply: Mapping[str, Any]) -> bool:
    """Whether the object of a reply of GetObject or HeadObject has to be restored before it can be read."""
    in_an_archive = reply.get("StorageClass") in ARCHIVES or "ArchiveStatus" in reply
    return in_an_archive and 'ongoing-request="false"' not in reply.get("Restore", "")


def _encrypted_object(client: Any, bucket: str, key: str, refusal: ClientError) -> dict[str, Any]:
    """Only a listing shows an object whose key is missing."""
    # The key is the first of all that begin with it, and its latest version comes before the others.
    page = client.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=1)
    for found in page.get("Versions", []):
        if found["Key"] == key and found["IsLatest"]:
            try:
                reply: dict[str, Any] = client.get_object(Bucket=bucket, Key=key, VersionId=found["VersionId"])
            except ClientError as error:
                if not _wants_a_key(error):
                    raise
                reply = found | {"ContentLength": found["Size"], "Body": ENCRYPTED}
            return reply
    raise refusal


def _wants_a_key(refusal: ClientError) -> bool:
    """S3 has no code of its own for it."""
    error = refusal.response["Error"]
    return error["Code"] == "InvalidRequest" and "Server Side Encryption" in error.get("Message", "")
