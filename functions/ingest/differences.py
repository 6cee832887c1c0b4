"""What bucket and index hold, side by side, and where they differ. Pure, and in constant memory.

Both sides come in the order of their keys' UTF-8 bytes, which is also the order of Python's strings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ingest.sidecar import SUFFIX, document_key, is_sidecar


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What stands on top under a key of the bucket. ``version`` is None in a bucket without versioning.

    ``present`` is False for what is no document: a delete marker, or the mark of a folder.
    """

    key: str
    version: str | None
    etag: str
    size: int
    last_modified: datetime
    present: bool = True


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """What the index holds of an object that it indexed, or that it noted as unreadable."""

    key: str
    version: str | None
    etag: str
    size: int
    last_modified: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class HeldSidecar:
    """What the index has taken in of a sidecar, under the sidecar's own key."""

    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the document ``key``. ``missed``: an event should have told of it, and have been handled by now."""

    key: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What the index should be by: the code of today, the keys of today, and events up to ``told_until``."""

    fingerprint: str
    prefix: str
    told_until: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides have under one key."""

    key: str
    listed: ListedObject | None
    held: HeldDocument | HeldSidecar | None

    @property
    def exists(self) -> bool:
        """Whether there is an object or a document, and not only the mark of something else."""
        return self.held is not None or (self.listed is not None and self.listed.present)


def side_by_side(listing: Iterator[ListedObject], index: Iterator[HeldDocument | HeldSidecar]) -> Iterator[Pair]:
    """All keys of both, in order. Of each side, no more than one item is taken ahead."""
    listed, held = next(listing, None), next(index, None)
    while listed is not None or held is not None:
        if listed is not None and (held is None or listed.key < held.key):
            yield Pair(listed.key, listed, None)
            listed = next(listing, None)
        elif held is not None and (listed is None or held.key < listed.key):
            yield Pair(held.key, None, held)
            held = next(index, None)
        elif held is not None:
            yield Pair(held.key, listed, held)
            listed, held = next(listing, None), next(index, None)


def difference(pair: Pair, expected: Expected) -> Difference | None:
    """None if the index holds what the bucket does; a failure of the same version by the same code is that too.

    What no event tells of is no miss: other code, or other keys than before.
    """
    key, held = document_key(pair.key), pair.held
    listed = pair.listed if pair.listed is not None and pair.listed.present else None
    recent = pair.listed is not None and pair.listed.last_modified > expected.told_until
    if listed is None:
        if held is None:
            return None
        return Difference(key, missed=key.startswith(expected.prefix) and not recent)
    if is_sidecar(pair.key):
        if _describes_nothing(pair.key) or (held is not None and held.etag == listed.etag):
            return None
        return Difference(key, missed=not recent)
    if not isinstance(held, HeldDocument) or not _is_of(held, listed):
        return Difference(key, missed=not recent)
    if held.fingerprint != expected.fingerprint:
        return Difference(key, missed=False)
    return None


def _describes_nothing(key: str) -> bool:
    """A sidecar's sidecar."""
    return is_sidecar(key.removesuffix(SUFFIX))


def _is_of(held: HeldDocument, listed: ListedObject) -> bool:
    """A version is named by its version id alone. Without one, all that a listing shows of an object must agree."""
    if listed.version is not None or held.version is not None:
        return held.version == listed.version
    # S3 tells whole seconds when an object is read, and may tell more when it is listed.
    same_second = held.last_modified.replace(microsecond=0) == listed.last_modified.replace(microsecond=0)
    return (held.etag, held.size, same_second) == (listed.etag, listed.size, True)
