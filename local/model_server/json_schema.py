"""Fill a JSON schema by the names of its properties."""

from collections.abc import Mapping
from typing import Any

from local.model_server.wire import RequestRefused

Schema = Mapping[str, Any]

_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
_CLASSES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def fill(schema: Schema, value: Any) -> Any:
    """A value of the schema that takes from ``value`` what fits by name and type, and is empty elsewhere."""
    return _fill(schema, value, schema)


def string_properties(schema: Schema) -> list[str]:
    """The names of the schema's own properties that are strings."""
    properties = schema.get("properties", {})
    return [name for name, one in properties.items() if _type(_resolved(one, schema)) == "string"]


def require_strict(schema: Schema) -> None:
    """Refuse what OpenAI refuses under ``strict``: objects that are open, or have optional properties.

    Raises RequestRefused for the schema and for everything below its ``$defs``, ``properties``, ``items``
    and ``anyOf``.
    """
    properties = schema.get("properties", {})
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            message = "a strict schema needs 'additionalProperties': false and every property in 'required'"
            raise RequestRefused(f"Invalid schema for response_format: {message}", param="response_format")
    below = [*properties.values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    for one in [*below, schema.get("items")]:
        if isinstance(one, Mapping):
            require_strict(one)


def _fill(schema: Schema, value: Any, root: Schema) -> Any:
    if value is None and _nullable(schema):
        return None
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return value if value in schema["enum"] else schema["enum"][0]
    kind = _type(schema)
    if kind == "object":
        given = value if isinstance(value, Mapping) else {}
        return {name: _fill(one, given.get(name), root) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        items = value if isinstance(value, list) else []
        return [_fill(schema.get("items", {}), one, root) for one in items]
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    fits = kind in _CLASSES and isinstance(value, _CLASSES[kind])
    if fits and (kind == "boolean") == isinstance(value, bool):
        return value
    return _EMPTY.get(kind)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow references inside the document and take the first choice that is not null."""
    if reference := schema.get("$ref"):
        target = root
        for step in str(reference).removeprefix("#").strip("/").split("/"):
            target = target.get(step, {}) if step else target
        return _resolved(target, root)
    for word in ("anyOf", "oneOf", "allOf"):
        choices = [one for one in schema.get(word, ()) if one.get("type") != "null"]
        if choices:
            return _resolved(choices[0], root)
    return schema


def _type(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    named = [kind] if isinstance(kind, str) else [one for one in kind if one != "null"]
    return named[0] if named else "null"


def _nullable(schema: Schema) -> bool:
    kind = schema.get("type", ())
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return "null" in ([kind] if isinstance(kind, str) else kind) or {"type": "null"} in choices
