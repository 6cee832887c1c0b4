"""What CloudFormation makes of conditions and references, as far as the template uses them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NOTHING = object()


def holds(condition: Mapping[str, Any], conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Whether a condition, or the assertion of a rule, is true of these parameters."""

    def inner(each: Mapping[str, Any]) -> bool:
        return holds(each, conditions, values)

    match condition:
        case {"Fn::Equals": [one, other]}:
            return _text(one, values) == _text(other, values)
        case {"Fn::Not": [one]}:
            return not inner(one)
        case {"Fn::And": [*every]}:
            return all(inner(each) for each in every)
        case {"Fn::Or": [*every]}:
            return any(inner(each) for each in every)
        case {"Fn::EachMemberEquals": [members, value]}:
            return all(each == _text(value, values) for each in _text(members, values).split(","))
        case {"Fn::Contains": [[*texts], value]}:
            return _text(value, values) in texts
        case {"Condition": str(name)}:
            return inner(conditions[name])
    raise AssertionError(f"a kind of condition that is not known here: {condition}")


def _text(value: Any, values: Mapping[str, str]) -> str:
    return values[value["Ref"]] if isinstance(value, dict) else str(value)


def decide(value: Any, true: Mapping[str, bool]) -> Any:
    """A part of a template without conditions: of each ``Fn::If`` what holds, and nothing of what does not."""
    match value:
        case {"Fn::If": [str(name), one, other]}:
            return decide(one if true[name] else other, true)
        case {"Ref": "AWS::NoValue"}:
            return _NOTHING
        case dict():
            inner = {name: decide(each, true) for name, each in value.items()}
            return {name: each for name, each in inner.items() if each is not _NOTHING}
        case list():
            return [each for each in (decide(each, true) for each in value) if each is not _NOTHING]
    return value


def references(value: Any) -> Iterator[str]:
    """Every name that a value refers to, by any of CloudFormation's ways."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": inner}:
            text = inner[0] if isinstance(inner, list) else inner
            yield from re.findall(r"\$\{(\w+)", text)
            yield from references(inner[1:] if isinstance(inner, list) else [])
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)
