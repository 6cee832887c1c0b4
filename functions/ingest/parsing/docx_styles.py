"""What a Word document's styles and lists say of a paragraph: its level as a heading, its number or bullet."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ingest.parsing.xml_elements import attribute, child, local

LIST_LEVELS = 9
_MAX_ANCESTORS = 20  # of a style; Word allows ten
_HEADING_NAME = re.compile(r"heading ([1-9])")
_PLACEHOLDER = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MAX_ROMAN = 3999
_MAX_LABEL = 40  # characters


@dataclass(frozen=True, slots=True)
class ListPlace:
    """The list (``number``) and the level in it, from 0, that a paragraph belongs to."""

    number: str
    level: int


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    based_on: str | None
    outline: int | None
    number: str | None
    level: int | None


class Styles:
    """Of ``word/styles.xml``; None for a document that has none."""

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, _Style] = {}
        self._chains: dict[str | None, list[_Style]] = {}
        for style in root if root is not None else ():
            if local(style) == "style" and attribute(style, "type") == "paragraph":
                self._styles[attribute(style, "styleId") or ""] = _style(style)

    def name(self, properties: Element | None) -> str:
        """Of the style of a paragraph that has these properties (``w:pPr``), in lower case."""
        chain = self._chain(properties)
        return chain[0].name if chain else ""

    def heading_level(self, properties: Element | None) -> int | None:
        """From 1 (outermost) to 9; None for text. A document's title is of level 1."""
        chain = self._chain(properties)
        outlines = [_outline(properties), *(style.outline for style in chain)]
        outline = next((outline for outline in outlines if outline is not None), None)
        if outline is not None:
            return outline + 1 if 0 <= outline < LIST_LEVELS else None
        for style in chain:
            if style.name == "title":
                return 1
            if found := _HEADING_NAME.fullmatch(style.name):
                return int(found[1])
        return None

    def list_place(self, properties: Element | None) -> ListPlace | None:
        numbers = [_list(properties), *((style.number, style.level) for style in self._chain(properties))]
        number = next((number for number, _ in numbers if number is not None), None)
        level = next((level for _, level in numbers if level is not None), 0)
        if number is None or number == "0":
            return None
        return ListPlace(number, min(max(level, 0), LIST_LEVELS - 1))

    def _chain(self, properties: Element | None) -> list[_Style]:
        """The paragraph's style and those that it is based on."""
        identifier = _value(properties, "pStyle")
        if identifier not in self._chains:
            chain: list[_Style] = []
            ancestor = identifier
            while ancestor in self._styles and len(chain) < _MAX_ANCESTORS:
                chain.append(self._styles[ancestor])
                ancestor = chain[-1].based_on
            self._chains[identifier] = chain
        return self._chains[identifier]


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    form: str = "bullet"
    pattern: str = ""


@dataclass(slots=True)
class _List:
    """Lists that have the same ``counters`` go on counting where the other one stopped."""

    levels: dict[int, _Level]
    counters: dict[int, int]
    restarts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Of ``word/numbering.xml``; None for a document that has none. Counts as a document's paragraphs are read."""

    def __init__(self, root: Element | None) -> None:
        self._lists: dict[str, _List] = {}
        children = list(root) if root is not None else []
        abstract = {attribute(each, "abstractNumId"): each for each in children if local(each) == "abstractNum"}
        levels = {identifier: _levels(each) for identifier, each in abstract.items()}
        counters: dict[str | None, dict[int, int]] = defaultdict(dict)
        for each in children:
            if local(each) == "num":
                identifier = _value(each, "abstractNumId")
                own = _levels(*(each for each in each if local(each) == "lvlOverride"))
                self._lists[attribute(each, "numId") or ""] = _List(
                    {**levels.get(identifier, {}), **own}, counters[identifier], _restarts(each)
                )

    def label(self, place: ListPlace) -> str:
        """The bullet, as "-", or the number that Word shows before the list's next item. It may be empty."""
        found = self._lists.get(place.number)
        level = found.levels.get(place.level) if found else None
        if found is None or level is None or level.form == "bullet":
            return "-"
        self._count(found, place.level, level)
        return _PLACEHOLDER.sub(lambda match: self._shown(found, int(match[1]) - 1), level.pattern)[:_MAX_LABEL].strip()

    def _count(self, counted: _List, depth: int, level: _Level) -> None:
        counters = counted.counters
        restart = counted.restarts.pop(depth, None)
        counters[depth] = counters.get(depth, level.start - 1) + 1 if restart is None else restart
        for deeper in range(depth + 1, LIST_LEVELS):
            counters.pop(deeper, None)

    def _shown(self, counted: _List, depth: int) -> str:
        level = counted.levels.get(depth, _Level(form="decimal"))
        number = counted.counters.setdefault(depth, level.start)
        return _FORMS.get(level.form, str)(number)


def _style(style: Element) -> _Style:
    properties = child(style, "pPr")
    name = (_value(style, "name") or "").lower()
    return _Style(name, _value(style, "basedOn"), _outline(properties), *_list(properties))


def _outline(properties: Element | None) -> int | None:
    return _integer(_value(properties, "outlineLvl"))


def _list(properties: Element | None) -> tuple[str | None, int | None]:
    number = child(properties, "numPr")
    return _value(number, "numId"), _integer(_value(number, "ilvl"))


def _levels(*parents: Element) -> dict[int, _Level]:
    found: dict[int, _Level] = {}
    for level in (each for parent in parents for each in parent if local(each) == "lvl"):
        found[_integer(attribute(level, "ilvl")) or 0] = _Level(
            _integer(_value(level, "start")) or 0, _value(level, "numFmt") or "decimal", _value(level, "lvlText") or ""
        )
    return found


def _restarts(number: Element) -> dict[int, int]:
    found: dict[int, int] = {}
    for override in number:
        start = _integer(_value(override, "startOverride"))
        if start is not None:
            found[_integer(attribute(override, "ilvl")) or 0] = start
    return found


def _value(parent: Element | None, name: str) -> str | None:
    found = child(parent, name)
    return None if found is None else attribute(found, "val")


def _integer(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else None


def _letters(number: int) -> str:
    """a to z, then aa to zz, as Word goes on."""
    if not 1 <= number <= 26 * _MAX_LABEL:
        return str(number)
    repeats, letter = divmod(number - 1, 26)
    return chr(ord("a") + letter) * (repeats + 1)


def _roman(number: int) -> str:
    if not 1 <= number <= _MAX_ROMAN:
        return str(number)
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


_FORMS: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "decimalZero": lambda number: f"{number:02}",
    "none": lambda _: "",
}
