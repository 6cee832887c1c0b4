"""Cut a passage into units that can be quoted: sentences, headings, list items, table rows, code lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["sentence", "heading", "item", "header", "row", "code"]

_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_ROW = re.compile(r"\s*\|")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_STOP = re.compile(r"""[.!?…]+["'”’»)\]]*(?:\[\d+\])*(?=\s)|[。！？]+["'”’」]*""")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[^\W_]|\d{2}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Sra|Jr|No|Nr|Fig|pp?|ch|vol|Sec|Art|Inc|Ltd|Co|Corp|vs|cf|ca|al"
    r"|approx|e\.g|i\.e|z\.B|d\.h|u\.a|bzw|U\.S|a\.m|p\.m))\.$"
)
_LONGEST_ABBREVIATION = 12
_LONGEST_UNIT = 400
_SHORT_LINE = 0.6  # of the passage's longest line


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable part of a passage. ``text`` is an exact substring; ``context`` is what stands above it."""

    text: str
    kind: Kind
    context: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    kind: Kind


def split_units(text: str) -> list[Unit]:
    """All units of a passage in order, without rules, fences and blank lines.

    A unit's context is the heading above it, a question or a line ending in a colon that leads to it, and
    the header of its table.
    """
    units: list[Unit] = []
    above: dict[str, str] = {}
    for block in _blocks(text):
        if block.kind not in ("header", "row"):
            above.pop("header", None)
        for part in _parts(text[block.start : block.end], block.kind):
            if part.kind == "sentence" and above.get("lead", "").endswith(":"):
                del above["lead"]
            units.append(replace(part, context="\n".join(above.values())))
            _remember(above, part)
    return units


def leads(unit: Unit) -> bool:
    """Whether a unit only leads to those below it: a heading, a table's header, a question, a line with a colon."""
    return unit.kind in ("heading", "header") or unit.text.endswith(("?", "？", ":"))


def _remember(above: dict[str, str], unit: Unit) -> None:
    if unit.kind == "heading":
        above.clear()
        above["heading"] = unit.text
    elif unit.kind == "header":
        above["header"] = unit.text
    elif leads(unit):
        above["lead"] = unit.text


def _blocks(text: str) -> Iterator[_Block]:
    """Group lines: a paragraph's and a list item's lines belong together, others stand alone."""
    current: _Block | None = None
    fenced = False
    width = max((len(line) for line in text.split("\n")), default=0)
    for line in re.finditer(r"[^\n]+|\n(?=\n)", text):
        kind = "code" if fenced else _kind(line.group())
        if current and current.kind == "row" and _is_rule(line.group()):
            current = replace(current, kind="header")
            continue
        if _FENCE.match(line.group()):
            fenced, kind = not fenced, None
        if current and kind == "sentence" and _goes_on(current, text, line.group(), width):
            current = replace(current, end=line.end())
            continue
        if current:
            yield current
        current = _Block(line.start(), line.end(), kind) if kind else None
    if current:
        yield current


def _goes_on(block: _Block, text: str, following: str, width: int) -> bool:
    """Whether ``following`` belongs to the block above it: to a list item, or to a paragraph that has not ended."""
    if block.kind != "sentence":
        return block.kind == "item"
    return not _stands_alone(text[: block.end].rpartition("\n")[2], following, width)


def _stands_alone(line: str, following: str, width: int) -> bool:
    """Whether a line of plain text, as a PDF has it, is a heading or a table's row rather than part of a paragraph."""
    short = len(line) < _SHORT_LINE * width
    return short and not line.rstrip().endswith((".", ",", ";", "-")) and not following[:1].islower()


def _is_rule(line: str) -> bool:
    return "--" in line and set(line) <= set("|:- \t\r")


def _kind(line: str) -> Kind | None:
    if not line.strip() or _is_rule(line):
        return None
    if _HEADING.match(line):
        return "heading"
    if _ITEM.match(line):
        return "item"
    return "row" if _ROW.match(line) else "sentence"


def _parts(block: str, kind: Kind) -> Iterator[Unit]:
    whole = kind != "sentence" and len(block) <= _LONGEST_UNIT
    for sentence in [block] if whole else split_sentences(block):
        pieces = [sentence] if len(sentence) <= _LONGEST_UNIT else sentence.split("\n")
        yield from (Unit(piece.strip(), kind) for piece in pieces if piece.strip())


def split_sentences(block: str) -> Iterator[str]:
    """Cut a paragraph after each sentence; the parts joined again are the paragraph."""
    start = 0
    for stop in _STOP.finditer(block):
        following = block[stop.end() : stop.end() + 4].lstrip()[:1]
        if (
            _ABBREVIATION.search(block[max(start, stop.end() - _LONGEST_ABBREVIATION) : stop.end()])
            or following.islower()
        ):
            continue
        yield block[start : stop.end()]
        start = stop.end()
    yield block[start:]
