"""The document that is uploaded, changed and deleted: its text exists nowhere else."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import ClientError

FOLDER = "bucketwise-check/"


@dataclass(slots=True)
class Canary:
    """One object of the bucket, under a key that no other has.

    ``versions``: those stored so far; None without versioning. ``tried``: something may be stored under the key.
    """

    s3: Any
    bucket: str
    key: str
    word: str
    numbers: tuple[str, str]
    tried: bool = False
    versions: list[str | None] = field(default_factory=list)

    @classmethod
    def below(cls, prefix: str, *, s3: Any, bucket: str) -> Self:
        word = "".join(secrets.choice(letters) for letters in ("bdfgklmnprtvz", "aeiou") * 5)
        first, second = (str(1000 + secrets.randbelow(4500) + start) for start in (0, 4500))
        key = f"{prefix}{FOLDER}{secrets.token_hex(8)}.txt"
        return cls(s3, bucket, key, word, (first, second))

    @property
    def question(self) -> str:
        return f"Which number does the {self.word} lantern have?"

    def text(self, number: str) -> str:
        return f"A note of a check of this stack.\n\nThe {self.word} lantern has the number {number}.\n"

    def put(self, number: str) -> None:
        """Raises ClientError and BotoCoreError; the former also if the key is somebody else's."""
        condition = {} if self.tried else {"IfNoneMatch": "*"}
        body = self.text(number).encode()
        self.tried = True  # before the call, which may be interrupted
        try:
            reply = self.s3.put_object(
                Bucket=self.bucket, Key=self.key, Body=body, ContentType="text/plain; charset=utf-8", **condition
            )
        except ClientError as error:
            self.tried = bool(self.versions) or error.response["Error"]["Code"] != "PreconditionFailed"
            raise
        version = reply.get("VersionId")
        self.versions.append(None if version == "null" else version)  # so named while versioning is suspended

    def delete(self) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=self.key)

    def erase(self) -> None:
        """Deletes every version under the key, and no other key. Raises ClientError and BotoCoreError.

        The newest is covered by a delete marker first, and markers go last: else a version that is still there
        would be the current one for a moment.
        """
        if not self.tried:
            return
        self.delete()
        try:
            listed = self.s3.list_object_versions(Bucket=self.bucket, Prefix=self.key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "AccessDenied" and set(self.versions) == {None}:
                return  # a bucket without versioning has nothing more to delete
            raise
        for kind in ("Versions", "DeleteMarkers"):
            for version in listed.get(kind, []):
                if version["Key"] == self.key:
                    self.s3.delete_object(Bucket=self.bucket, Key=self.key, VersionId=version["VersionId"])
