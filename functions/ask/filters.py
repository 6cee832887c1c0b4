"""What may be searched, as a condition on documents that is validated here and sent to the database as one value."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_FIELDS = 20  # that are looked at in an object, known or not
MOST_DEPTH = 5
MOST_CONDITIONS = 100
MOST_CHOICES = 100
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _storable(text: str) -> str:
    """PostgreSQL keeps every character but NUL, and JSON's lone surrogates are none."""
    if "\0" in text:
        raise ValueError("must not hold the character NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not hold half of a surrogate pair")
    return text


def _in_utc(time: datetime) -> datetime:
    """PostgreSQL takes offsets of less than 16 hours alone. A moment before the year 1 or after 9999 is the nearest one
    within: no object was stored then."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return EARLIEST if time.year == 1 else LATEST


storable = AfterValidator(_storable)
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Text = Annotated[str, storable]
Key = Annotated[str, StringConstraints(min_length=1, max_length=1024), storable]  # S3's own limit, there in bytes
ShortText = Annotated[str, StringConstraints(max_length=1024), storable]
Value = ShortText | bool | int | Annotated[float, Field(allow_inf_nan=False)]
Ordered = ShortText | Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Strict(BaseModel):
    """Takes the fields that it has and no other, and does not list each of a thousand others as an error."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, given: Any) -> Any:
        if isinstance(given, dict) and len(given) > MOST_FIELDS:
            raise ValueError(f"may have {MOST_FIELDS} fields at most")
        return given


class MetadataCondition(Strict):
    """Of one entry of the metadata; all that are given must hold. A list passes if one of its elements does.

    Values of different types are different and have no order. Without the entry only ``ne`` and ``exists: false`` hold.
    """

    eq: Value | None = None
    ne: Value | None = None
    in_: Annotated[list[Value], Field(min_length=1, max_length=MOST_CHOICES, fail_fast=True)] | None = Field(
        default=None, alias="in"
    )
    gt: Ordered | None = None
    gte: Ordered | None = None
    lt: Ordered | None = None
    lte: Ordered | None = None
    contains: Annotated[str, StringConstraints(min_length=1, max_length=1024), storable] | None = Field(
        default=None, description="A part of the string, as it is written"
    )
    exists: bool | None = None

    @model_validator(mode="after")
    def _tests_something(self) -> Self:
        if not self.model_fields_set or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("give at least one test, and no null")
        return self


class Filters(Strict):
    """All that are given must hold. Times are ISO 8601 with an offset; an object's own time is when it was stored."""

    prefix: Key | None = Field(
        default=None, description="A whole path: `a/b` and `a/b/` hold for `a/b/c.txt`, and not for `a/bc.txt`"
    )
    key: Key | None = None
    content_type: Annotated[str, StringConstraints(max_length=255), storable] | None = None
    modified_from: Moment | None = None
    modified_before: Moment | None = None
    metadata: dict[ShortText, Value | MetadataCondition] | None = Field(default=None, min_length=1, max_length=20)
    all_: "list[Filters] | None" = Field(
        default=None, alias="all", min_length=1, max_length=MOST_CONDITIONS, fail_fast=True
    )
    any_: "list[Filters] | None" = Field(
        default=None, alias="any", min_length=1, max_length=MOST_CONDITIONS, fail_fast=True
    )
    not_: "Filters | None" = Field(default=None, alias="not")

    @model_validator(mode="before")
    @classmethod
    def _is_bounded(cls, given: Any) -> Any:
        """Looked at before what is within: each wrong value there is several errors."""
        level, conditions = [given] if isinstance(given, dict) else [], 0
        for _ in range(MOST_DEPTH):
            conditions += sum(_own_conditions(filters) for filters in level)
            level = [inner for filters in level for inner in _inner_as_sent(filters)]
            if max(conditions, len(level)) > MOST_CONDITIONS:  # each of them must have one at least
                raise ValueError(f"may have {MOST_CONDITIONS} conditions at most")
        if level:
            raise ValueError(f"may be nested {MOST_DEPTH} deep at most")
        return given

    @model_validator(mode="after")
    def _is_nowhere_empty(self) -> Self:
        if any(not inner.path() for inner in self._inner()):
            raise ValueError("a nested filter must hold a condition")
        return self

    def for_index(self) -> dict[str, Any]:
        """As ``bucketwise.search`` takes them: what names columns apart, and all else as one SQL/JSON path."""
        simple = {"prefix", "key", "content_type", "modified_from", "modified_before"}
        given = self.model_dump(mode="json", exclude_none=True, include=simple)
        rest = [*self._metadata_parts(), *self._nested_parts()]
        return given | ({"condition": _all(rest)} if rest else {})

    def _inner(self) -> "Iterator[Filters]":
        yield from self.all_ or ()
        yield from self.any_ or ()
        if self.not_ is not None:
            yield self.not_

    def path(self) -> str:
        """A predicate on an object of key, content_type, modified (seconds since 1970) and metadata."""
        return _all([*self._column_parts(), *self._metadata_parts(), *self._nested_parts()])

    def _column_parts(self) -> Iterator[str]:
        if self.prefix is not None:
            if self.prefix.endswith("/"):
                yield f"$.key starts with {_literal(self.prefix)}"
            else:
                yield f"$.key == {_literal(self.prefix)} || $.key starts with {_literal(self.prefix + '/')}"
        if self.key is not None:
            yield f"$.key == {_literal(self.key)}"
        if self.content_type is not None:
            yield _known(f"$.content_type == {_literal(self.content_type)}")
        if self.modified_from is not None:
            yield f"$.modified >= {_seconds(self.modified_from)}"
        if self.modified_before is not None:
            yield f"$.modified < {_seconds(self.modified_before)}"

    def _metadata_parts(self) -> Iterator[str]:
        for name, wanted in (self.metadata or {}).items():
            test = wanted if isinstance(wanted, MetadataCondition) else MetadataCondition(eq=wanted)
            yield from _test_parts(f"$.metadata.{_literal(name)}", test)

    def _nested_parts(self) -> Iterator[str]:
        if self.all_ is not None:
            yield _all([inner.path() for inner in self.all_])
        if self.any_ is not None:
            yield " || ".join(f"({inner.path()})" for inner in self.any_)
        if self.not_ is not None:
            yield f"!({self.not_.path()})"


def _own_conditions(filters: dict[str, Any]) -> int:
    metadata = filters.get("metadata")
    return len(filters) + (len(metadata) if isinstance(metadata, dict) else 0)


def _inner_as_sent(filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Filters within, of whatever may have been sent in the place of filters."""
    lists = (each for each in (filters.get("all"), filters.get("any")) if isinstance(each, list))
    yield from (inner for inner in chain(*lists, [filters.get("not")]) if isinstance(inner, dict))


_ORDERS: dict[Literal["gt", "gte", "lt", "lte"], str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _test_parts(entry: str, test: MetadataCondition) -> Iterator[str]:
    if test.eq is not None:
        yield _known(f"{entry} == {_literal(test.eq)}")
    if test.ne is not None:
        yield f"!{_known(f'{entry} == {_literal(test.ne)}')}"
    if test.in_ is not None:
        yield " || ".join(_known(f"{entry} == {_literal(choice)}") for choice in test.in_)
    for name, sign in _ORDERS.items():
        bound = getattr(test, name)
        if bound is not None:
            yield _known(f"{entry} {sign} {_literal(bound)}")
    if test.contains is not None:
        yield _known(f'{entry} like_regex {_literal(test.contains)} flag "q"')
    if test.exists is not None:
        yield f"{'' if test.exists else '!'}exists({entry})"


def _known(predicate: str) -> str:
    """False where SQL/JSON finds no answer, as between values of different types: its negation is then true."""
    return f"({predicate} && !(({predicate}) is unknown))"


def _all(parts: list[str]) -> str:
    return " && ".join(f"({part})" for part in parts)


def _literal(value: str | float) -> str:
    """JSON's literals are literals of a path; what is quoted cannot end its quotes."""
    return json.dumps(value, ensure_ascii=False)


def _seconds(time: datetime) -> str:
    return f"{time.timestamp():.6f}"
