"""What bucket and index hold, side by side, and where they differ. Pure, and in constant memory.

Both sides come in the order of their keys' UTF-8 bytes, which is also the order of Python's strings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from ingest.sidecar import SUFFIX, document_key, is_sidecar
from ingest.tenants import Tenancy


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
    tenant: str


@dataclass(frozen=True, slots=True)
class HeldSidecar:
    """What the index has taken in of a sidecar, under the sidecar's own key."""

    key: str
    etag: str
    tenant: str


Held = HeldDocument | HeldSidecar


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the document ``key``. ``missed``: an event should have told of it, and have been handled by now."""

    key: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What the index should be by: the code, keys and tenants of today, and events up to ``told_until``."""

    fingerprint: str
    tenancy: Tenancy
    told_until: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What both sides have under one key. ``held`` is of whatever tenants, one of each."""

    key: str
    listed: ListedObject | None
    held: tuple[Held, ...]

    @property
    def exists(self) -> bool:
        """Whether there is an object or a document, and not only the mark of something else."""
        return bool(self.held) or (self.listed is not None and self.listed.present)


def side_by_side(listing: Iterator[ListedObject], index: Iterator[Held]) -> Iterator[Pair]:
    """All keys of both, in order. One item of the bucket is taken ahead, and two of the index."""
    by_key = ((key, tuple(found)) for key, found in groupby(index, key=attrgetter("key")))
    listed, held = next(listing, None), next(by_key, None)
    while listed is not None or held is not None:
        if listed is not None and (held is None or listed.key < held[0]):
            yield Pair(listed.key, listed, ())
            listed = next(listing, None)
        elif held is not None and (listed is None or held[0] < listed.key):
            yield Pair(held[0], None, held[1])
            held = next(by_key, None)
        elif held is not None:
            yield Pair(held[0], listed, held[1])
            listed, held = next(listing, None), next(by_key, None)


def difference(pair: Pair, expected: Expected) -> Difference | None:
    """None if the index holds what the bucket does, for the key's tenant and no other.

    A failure of the same version by the same code is that too. What no event tells of is no miss: other code, other
    keys or other tenants than before.
    """
    owner = expected.tenancy.owner(document_key(pair.key))
    own = next((held for held in pair.held if held.tenant == owner.tenant), None)
    if len(pair.held) > (own is not None):
        return Difference(document_key(pair.key), missed=False)
    return _difference(pair, own, expected, owner.fingerprint(expected.fingerprint))


def _difference(pair: Pair, held: Held | None, expected: Expected, fingerprint: str) -> Difference | None:
    key = document_key(pair.key)
    listed = pair.listed if pair.listed is not None and pair.listed.present else None
    recent = pair.listed is not None and pair.listed.last_modified > expected.told_until
    if listed is None:
        if held is None:
            return None
        return Difference(key, missed=key.startswith(expected.tenancy.prefix) and not recent)
    if is_sidecar(pair.key):
        if _describes_nothing(pair.key) or (held is not None and held.etag == listed.etag):
            return None
        return Difference(key, missed=not recent)
    if not isinstance(held, HeldDocument) or not _is_of(held, listed):
        return Difference(key, missed=not recent)
    if held.fingerprint != fingerprint:
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
