"""A folder of the twin's S3 that is changed one step at a time, and a plain model of what must be in it."""

import urllib.parse
import urllib.request
from collections.abc import Iterator

from ingest.events import ObjectChange, changes_in_message
from local.storage.client import Storage
from tests.integration.event_inbox import VERSIONED

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=twin/x/us-east-1/s3/aws4_request"


class ChangingBucket:
    """``versions[key]``: (version id, text) from the oldest to the current one; a text of None is a delete marker.

    Each change returns what S3 told of it. ``events`` is the URL of the queue for that, which shows nothing twice.
    """

    def __init__(self, storage: Storage, events: str, folder: str) -> None:
        self._storage = storage
        self._events = events
        self._folder = folder
        self.versions: dict[str, list[tuple[str, str | None]]] = {}
        self.all_versions: set[str] = set()

    def put(self, key: str, text: str) -> ObjectChange:
        reply = self._storage.s3.put_object(Bucket=VERSIONED, Key=key, Body=text.encode())
        return self._added(key, reply["VersionId"], text)

    def delete(self, key: str) -> ObjectChange:
        reply = self._storage.s3.delete_object(Bucket=VERSIONED, Key=key)
        return self._added(key, reply["VersionId"], None)

    def delete_version(self, key: str, place: int) -> ObjectChange:
        version, _ = self.versions[key].pop(place)
        self._storage.s3.delete_object(Bucket=VERSIONED, Key=key, VersionId=version)
        return self._told()

    def expire(self, key: str) -> ObjectChange:
        """What a lifecycle rule does next: a marker on the object, the oldest version away, the last marker away."""
        versions = self.versions[key]
        if versions[-1][1] is not None:
            self._delete_by_lifecycle(key)
            top = next(entry for entry in self._listed("DeleteMarkers") if entry[0] == key)
            return self._added(key, top[1], None)
        version, _ = versions.pop(0)
        self._delete_by_lifecycle(key, version)
        return self._told()

    def contents(self) -> dict[str, tuple[str, str]]:
        """Version id and text of each current object, by the model; checked against what S3 lists."""
        tops = {key: versions[-1] for key, versions in self.versions.items() if versions}
        current = {key: (version, text) for key, (version, text) in tops.items() if text is not None}
        assert {key: version for key, (version, _) in current.items()} == dict(self._listed("Versions"))
        return current

    def _added(self, key: str, version: str, text: str | None) -> ObjectChange:
        self.versions.setdefault(key, []).append((version, text))
        self.all_versions.add(version)
        return self._told()

    def _told(self) -> ObjectChange:
        [message] = self._storage.sqs.receive_message(QueueUrl=self._events, MaxNumberOfMessages=10)["Messages"]
        [change] = changes_in_message(message["Body"])
        return change

    def _listed(self, kind: str) -> Iterator[tuple[str, str]]:
        """(key, version id) of what is on top, if it is of this kind."""
        reply = self._storage.s3.list_object_versions(Bucket=VERSIONED, Prefix=self._folder)
        return ((entry["Key"], entry["VersionId"]) for entry in reply.get(kind, []) if entry["IsLatest"])

    def _delete_by_lifecycle(self, key: str, version: str | None = None) -> None:
        query = f"?versionId={version}" if version else ""
        url = f"{self._storage.url}/{VERSIONED}/{urllib.parse.quote(key)}{query}"
        headers = {"x-twin-lifecycle": "true", "Authorization": AUTHORIZATION}
        urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE")).close()  # noqa: S310
