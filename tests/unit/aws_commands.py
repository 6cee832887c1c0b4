"""Commands in shell code, and what is wrong with those of the AWS CLI, by the models that botocore ships.

The CLI derives its operations and options from the same models (its user guide, "Command structure").
"""

import re
import shlex
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

GLOBAL = {"query", "output", "region", "profile", "no-cli-pager", "cli-binary-format", "no-paginate"}
SERVICES = {"s3api": "s3"}  # the CLI's name: botocore's
# Of `aws s3`, which the CLI writes by hand.
S3_OPTIONS = {"cp": {"recursive", "quiet", "content-type", "metadata"}, "ls": {"recursive"}}
SEPARATORS = {";", "&&", "||", "|", "do", "{", "}", "done"}
_ASSIGNED = re.compile(r"\w+=")


def in_shell(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of shell code, those within ``$(...)`` too."""
    outer, inner = _without_substitutions(line)
    for code in inner:
        yield from in_shell(code)
    words: list[str] = []
    lexer = shlex.shlex(outer, posix=True, punctuation_chars=";|&")
    lexer.whitespace_split = True
    for word in [*lexer, ";"]:
        if word in SEPARATORS:
            while words and (_ASSIGNED.match(words[0]) or words[0].endswith("()")):
                words = words[1:]
            if words and words[0] not in {"for", "output", "resource"}:
                yield words
            words = []
        else:
            words.append(word)


def faults_of(command: list[str]) -> list[str]:
    """What is wrong with the words of a command that begins with ``aws``; empty if nothing is."""
    _, service, operation, *rest = command
    options = dict(_options(rest))
    if service == "s3":
        known = S3_OPTIONS.get(operation)
        if known is None:
            return [f"no operation {operation} of s3"]
        return [f"no option --{name} of s3 {operation}" for name in options.keys() - known - GLOBAL]
    try:
        operations = _operations(SERVICES.get(service, service))
    except UnknownServiceError:
        return [f"no service {service}"]
    if operation not in operations:
        return [f"no operation {operation} of {service}"]
    return list(_faults_of_options(operations[operation].input_shape, options, rest, operation))


def _faults_of_options(shape: Any, options: dict[str, str], words: list[str], operation: str) -> Iterator[str]:
    members = {xform_name(name, "-"): member for name, member in shape.members.items()}
    for name, value in options.items():
        positive = name.removeprefix("no-")
        if name not in members and not (positive in members and members[positive].type_name == "boolean"):
            if name not in GLOBAL:
                yield f"no option --{name} of {operation}"
        elif name in members and members[name].type_name == "structure" and not value.startswith(("{", "$", "file:")):
            given = {part.partition("=")[0] for part in value.split(",")}
            yield from (f"no member {each} of --{name}" for each in sorted(given - members[name].members.keys()))
    for required in shape.required_members:
        if xform_name(required, "-") not in options:
            yield f"lacks --{xform_name(required, '-')}"
    if operation == "invoke" and (not words or words[-1].startswith("--") or words[-2:-1] == ["--function-name"]):
        yield "lacks the file that its reply goes to"


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    for number, word in enumerate(words):
        if word.startswith("--"):
            following = words[number + 1] if number + 1 < len(words) else ""
            yield word.removeprefix("--"), "" if following.startswith("--") else following


@lru_cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def _without_substitutions(line: str) -> tuple[str, list[str]]:
    """The line with a word in the place of each ``$(...)``, and the code that stood there; of sums, that within."""
    found: list[str] = []
    while (start := line.find("$(")) >= 0:
        end, depth = start + 2, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(line[end], 0)
            end += 1
        code = line[start + 2 : end - 1]
        found += _without_substitutions(code)[1] if code.startswith("(") else [code]
        line = f"{line[:start]}SUBSTITUTED{line[end:]}"
    return line, found
