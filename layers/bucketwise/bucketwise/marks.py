"""Places in documents, and where they begin, as the index holds them: JSON."""

from dataclasses import fields
from typing import Any

from bucketwise.models import Place, PlaceMark


def marks_to_json(marks: tuple[PlaceMark, ...]) -> list[dict[str, Any]]:
    """As the column ``chunks.marks`` holds them."""
    return [{"start": mark.start} | place_to_json(mark.place) for mark in marks]


def marks_from_json(value: list[dict[str, Any]]) -> tuple[PlaceMark, ...]:
    return tuple(PlaceMark(item["start"], place_from_json(item)) for item in value)


def place_to_json(place: Place) -> dict[str, Any]:
    """Parts that a place does not have are left out."""
    return {name: value for field in fields(place) if (value := getattr(place, name := field.name))}


def place_from_json(value: dict[str, Any]) -> Place:
    rows = value.get("rows")
    return Place(
        page=value.get("page"),
        heading=tuple(value.get("heading", ())),
        slide=value.get("slide"),
        sheet=value.get("sheet"),
        rows=(rows[0], rows[1]) if rows else None,
        part=value.get("part"),
    )
