"""Packages of Office Open XML (ECMA-376, part 2): parts in a zip file, and the relationships between them."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from bucketwise.errors import UnreadableDocument
from ingest.parsing.archive import Archive, corrupt
from ingest.parsing.properties import Properties, read_properties
from ingest.parsing.xml_elements import Path, read_element, read_elements

_MAX_SMALL_PART = 16 << 20  # bytes; styles and relationships of real documents have 1 MB at most


@dataclass(frozen=True, slots=True)
class Relationship:
    """``kind`` is the last word of its type's address, which has two forms; ``target`` is the name of a part."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Package:
    """Its methods raise ``UnreadableDocument`` as ``Archive`` does."""

    archive: Archive

    def main_part(self) -> str:
        """Raises ``UnreadableDocument`` (corrupt) if there is none."""
        for part in self.related("", "officeDocument"):
            return part
        raise corrupt()

    def relationships(self, part: str) -> dict[str, Relationship]:
        """By id, those of a part or (``""``) of the package to parts that exist."""
        folder, name = posixpath.split(part)
        listing = posixpath.join(folder, "_rels", f"{name}.rels")
        if listing not in self.archive:
            return {}
        found: dict[str, Relationship] = {}
        for element in self.root(listing):
            kind = element.get("Type", "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, _path(element.get("Target", ""))))
            if element.get("TargetMode") != "External" and target in self.archive:
                found[element.get("Id", "")] = Relationship(kind, target.lstrip("/"))
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """The parts of a kind that ``part`` refers to, each once."""
        targets = (found.target for found in self.relationships(part).values() if found.kind == kind)
        return list(dict.fromkeys(targets))

    def root(self, part: str) -> Element:
        """A part of limited size, whole."""
        with self.archive.open(part, most=_MAX_SMALL_PART) as stream:
            return read_element(stream)

    def elements(self, part: str, path: Path) -> Iterator[Element]:
        """As ``read_elements``."""
        with self.archive.open(part) as stream:
            yield from read_elements(stream, path)

    def properties(self) -> Properties:
        """None are as good as damaged ones."""
        try:
            for part in self.related("", "core-properties"):
                with self.archive.open(part, most=_MAX_SMALL_PART) as stream:
                    return read_properties(stream)
        except UnreadableDocument:
            pass
        return Properties()


def _path(target: str) -> str:
    try:
        return unquote(urlsplit(target).path).replace("\\", "/")
    except ValueError:
        return ""
