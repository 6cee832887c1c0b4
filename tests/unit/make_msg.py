"""Outlook's mails, made: an OLE container of version 3 ([MS-CFB]) whose streams are all kept in sectors."""

import struct
from collections.abc import Mapping
from typing import Union

SECTOR = 512
SMALLEST_STREAM = 4096  # bytes; smaller ones would stand in a stream of their own, so they are filled with zeros
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STORAGE, STREAM, ROOT = 1, 2, 5

Tree = Mapping[str, Union[bytes, "Tree"]]


def unicode_property(number: str, text: str) -> dict[str, bytes]:
    return {f"__substg1.0_{number}001F": text.encode("utf-16-le")}


def binary_property(number: str, content: bytes) -> dict[str, bytes]:
    return {f"__substg1.0_{number}0102": content}


def numbers(entries: Mapping[int, int], *, header: int = 32) -> dict[str, bytes]:
    """Values of the properties that are numbers, by number and type."""
    packed = b"".join(struct.pack("<IIQ", tag, 0, value) for tag, value in entries.items())
    return {"__properties_version1.0": bytes(header) + packed}


def make_ole(tree: Tree) -> bytes:
    sectors: list[bytes] = []
    chain: list[int] = []
    entries: list[bytes] = []

    def store(content: bytes) -> int:
        """The number of the first sector."""
        content += bytes(-len(content) % SECTOR)
        first, count = len(sectors), len(content) // SECTOR
        sectors.extend(content[start : start + SECTOR] for start in range(0, len(content), SECTOR))
        chain.extend([*range(first + 1, first + count), END])
        return first

    def enter(name: str, node: bytes | Tree, kind: int, sibling: int) -> int:
        """The number of the entry; an entry's siblings hang on it to the right, like a list."""
        number = len(entries)
        entries.append(b"")
        child, first, size = FREE, END, 0
        if isinstance(node, bytes):
            node = node.ljust(SMALLEST_STREAM, b"\0")
            first, size = store(node), len(node)
        else:
            for inner, content in node.items():
                child = enter(inner, content, STREAM if isinstance(content, bytes) else STORAGE, child)
        stored = name.encode("utf-16-le") + b"\0\0"
        entries[number] = struct.pack(
            "<64sHBBIII16sIQQIQ", stored, len(stored), kind, 1, FREE, sibling, child, b"", 0, 0, 0, first, size
        )
        return number

    enter("Root Entry", tree, ROOT, FREE)
    directory = store(b"".join(entries) + bytes(-len(entries) % 4 * 128))
    fats = 1
    while fats * (SECTOR // 4) < len(chain) + fats:
        fats += 1
    first_fat = len(chain)
    chain.extend([FAT] * fats)
    table = struct.pack(f"<{fats * (SECTOR // 4)}I", *chain, *[FREE] * (fats * (SECTOR // 4) - len(chain)))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        0, fats, directory, 0, SMALLEST_STREAM, END, 0, END, 0, first_fat,
    )  # fmt: skip
    difat = struct.pack("<108I", *range(first_fat + 1, first_fat + fats), *[FREE] * (109 - fats))
    return header + difat + b"".join(sectors) + table
