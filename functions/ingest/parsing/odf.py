"""OpenDocument packages (ODF 1.3, part 2): what their manifest and metadata say."""

from bucketwise.errors import UnreadableDocument
from ingest.parsing.archive import Archive, encrypted
from ingest.parsing.properties import Properties, read_properties

_MANIFEST = "META-INF/manifest.xml"
_METADATA = "meta.xml"
_MAX_SMALL_PART = 16 << 20  # bytes


def refuse_encrypted(archive: Archive) -> None:
    """Raises ``UnreadableDocument`` (encrypted)."""
    if _MANIFEST in archive and b":encryption-data" in archive.read(_MANIFEST, most=_MAX_SMALL_PART):
        raise encrypted()


def odf_properties(archive: Archive) -> Properties:
    """None are as good as damaged ones."""
    try:
        with archive.open(_METADATA, most=_MAX_SMALL_PART) as stream:
            return read_properties(stream)
    except UnreadableDocument:
        return Properties()
