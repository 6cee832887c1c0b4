"""What the bucket holds under a key at this moment."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any, Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from bucketwise.errors import BucketUnavailable, UnreadableDocument
from bucketwise.models import FailureReason
from ingest.sidecar import MOST_BYTES, SUFFIX, Metadata, Sidecar, is_sidecar, user_metadata
from ingest.withheld import Withheld, is_archived, withheld_object

PIECE = 1 << 20  # bytes
MOST_KEY_BYTES = 1024  # of S3; it refuses to look for a longer one
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What is known of an object beside its bytes. ``version`` is None in a bucket without versioning.

    ``sidecar`` is the eTag of the object that describes it. ``archived``: it has to be restored before it can be read.
    """

    key: str
    version: str | None
    etag: str
    size: int
    content_type: str | None
    last_modified: datetime
    metadata: Metadata
    sidecar: str | None = None
    archived: bool = False

    def described_by(self, sidecar: Sidecar) -> Self:
        """With what the sidecar says, which goes before what S3 keeps. Raises UnreadableDocument (bad_metadata)."""
        return replace(self, metadata=self.metadata | sidecar.metadata())


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _read_piece(stream: _Stream, size: int) -> bytes:
    """Raises BucketUnavailable."""
    try:
        return stream.read(size)
    except (BotoCoreError, OSError) as error:
        raise BucketUnavailable(f"an object's body was cut short ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Facts and body of one reply, so that they belong to the same version."""

    facts: ObjectFacts
    stream: _Stream

    def copy_to(self, file: IO[bytes], *, most_bytes: int) -> None:
        """Writes the whole body to ``file``, a piece at a time.

        Raises UnreadableDocument if it is larger or S3 withholds it, BucketUnavailable if it was cut short.
        """
        if self.facts.size > most_bytes:
            raise UnreadableDocument(
                FailureReason.TOO_LARGE,
                f"The file has {self.facts.size:,} bytes; the limit is {most_bytes:,} (MAX_DOCUMENT_BYTES).",
            )
        while piece := _read_piece(self.stream, PIECE):
            file.write(piece)
        file.flush()


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """``client`` is boto3's S3 client. What does not begin with ``prefix`` is none of our documents."""

    client: Any
    name: str
    prefix: str = ""

    @contextmanager
    def open(self, key: str) -> Iterator[StoredObject | None]:
        """The current version, or None if there is none.

        None also for the empty objects with a slash at the end by which consoles mark a folder.

        Raises BucketUnavailable for everything else. A 403 is among that: without s3:ListBucket, S3 answers
        403 for a missing object too, and a lost permission must never look like a deletion.
        """
        reply = self._get(key)
        if reply is None:
            yield None
            return
        try:
            facts = _facts(key, reply)
            yield None if is_folder(key, facts.size) else StoredObject(facts, reply["Body"])
        finally:
            reply["Body"].close()

    def sidecar(self, key: str) -> Sidecar | None:
        """What stands beside the object to describe it. Raises as ``open`` does."""
        name = f"{key}{SUFFIX}"
        # Beside the mark of a folder, this is a document in the folder.
        reply = self._get(name) if is_sidecar(name) and len(name.encode()) <= MOST_KEY_BYTES else None
        if reply is None:
            return None
        if isinstance(reply["Body"], Withheld):
            return Sidecar(_etag(reply), None)
        content = b""
        try:
            # Only the read behind the last byte tells that a body was cut short.
            while len(content) <= MOST_BYTES and (piece := _read_piece(reply["Body"], MOST_BYTES + 1)):
                content += piece
        finally:
            reply["Body"].close()
        return Sidecar(_etag(reply), content[: MOST_BYTES + 1])

    def _get(self, key: str) -> dict[str, Any] | None:
        if not key.startswith(self.prefix):
            return None
        with _outages():
            try:
                reply: dict[str, Any] = self.client.get_object(Bucket=self.name, Key=key)
            except self.client.exceptions.NoSuchKey:
                return None
            except ClientError as error:
                # NoSuchKey repeats the key in XML. Where XML cannot hold it, boto3 reads nothing of it but the status.
                if (_status(error), error.response["Error"]["Code"]) == (404, "404") and _NOT_IN_XML.search(key):
                    return None
                return withheld_object(self.client, self.name, key, error)
            return reply


@contextmanager
def _outages() -> Iterator[None]:
    """Raises BucketUnavailable for an error of boto3 within."""
    try:
        yield
    except ClientError as error:
        raise BucketUnavailable(f"S3 answered {_status(error)}") from None
    except BotoCoreError as error:
        raise BucketUnavailable(f"S3 did not answer ({type(error).__name__})") from None


def _status(error: ClientError) -> int:
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status


def is_folder(key: str, size: int) -> bool:
    return size == 0 and key.endswith("/")


def _facts(key: str, reply: dict[str, Any]) -> ObjectFacts:
    version = reply.get("VersionId")
    return ObjectFacts(
        key=key,
        version=version if version != "null" else None,
        etag=_etag(reply),
        size=reply["ContentLength"],
        content_type=reply.get("ContentType"),
        last_modified=reply["LastModified"],
        metadata=user_metadata(reply.get("Metadata", {})),
        archived=is_archived(reply),
    )


def _etag(reply: dict[str, Any]) -> str:
    return str(reply["ETag"]).strip('"')
