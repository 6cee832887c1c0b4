"""The functions that ask may execute, and those that they call, as the database holds them; and each with a flaw."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection

ASKABLE = """
    SELECT p.oid::regprocedure::text, p.proname, pg_get_functiondef(p.oid),
           has_function_privilege('bucketwise_ask', p.oid, 'EXECUTE')
    FROM pg_proc p WHERE p.pronamespace = 'bucketwise'::regnamespace AND p.prokind = 'f' ORDER BY 1"""

# Two columns that must be of one tenant, or one that must be of the asking one.
PREDICATE = re.compile(r"(?:\b\w+\.)?\btenant = (?:\w+\.)?(?:for_)?tenant\b|\bUSING \(tenant, \w+\)")
CALL = re.compile(r"bucketwise\.(\w+)\s*\(")
READ = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+\(*bucketwise\.(\w+)\b(?!\s*\()")


@dataclass(frozen=True, slots=True)
class Function:
    """``signature`` names it; ``definition`` is the statement that makes it anew."""

    signature: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function without a tenant predicate; ``line`` is what that stood in."""

    function: Function
    line: str
    definition: str

    def __str__(self) -> str:
        return f"{self.function.name}: {self.line}"


def searchable_functions(connection: Connection) -> tuple[list[Function], list[Function]]:
    """Those that ask may execute; and all that they call, they themselves among them."""
    connection.execute("SELECT set_config('search_path', '', false)")  # so that every name is told in full
    rows = connection.execute(ASKABLE).fetchall()
    connection.execute("RESET search_path")
    functions = [Function(signature, name, definition) for signature, name, definition, _ in rows]
    asked = [function for function, row in zip(functions, rows, strict=True) if row[3]]
    reached = {function.signature: function for function in asked}
    waiting = list(asked)
    while waiting:
        called = set(CALL.findall(waiting.pop().definition))
        fresh = [one for one in functions if one.name in called and one.signature not in reached]
        reached |= {function.signature: function for function in fresh}
        waiting += fresh
    return asked, list(reached.values())


def reads_of(function: Function, tables: set[str]) -> list[str]:
    """The tables among these that its statements name, each as often as it is named."""
    return [table for table in READ.findall(function.definition) if table in tables]


def mutants(function: Function) -> Iterator[Mutant]:
    """Each without one of its tenant predicates."""
    head, body = _parts(function.definition)
    for match in PREDICATE.finditer(body):
        start = body.rfind("\n", 0, match.start()) + 1
        end = body.find("\n", match.end())
        yield Mutant(
            function,
            " ".join(body[start:end].split()),
            head + body[: match.start()] + _left(match) + body[match.end() :],
        )


def without_all(function: Function, lines: set[str]) -> str:
    """The definition without the predicates in any of these lines."""
    head, body = _parts(function.definition)
    changed = [PREDICATE.sub(_left, line) if " ".join(line.split()) in lines else line for line in body.split("\n")]
    return head + "\n".join(changed)


def _left(match: re.Match[str]) -> str:
    return match[0].replace("tenant, ", "") if match[0].startswith("USING") else "true"


def _parts(definition: str) -> tuple[str, str]:
    """What comes before the body, and the body."""
    for mark in ("AS $function$", "BEGIN ATOMIC", "\nRETURN "):
        head, found, body = definition.partition(mark)
        if found:
            return head + found, body
    raise AssertionError(definition)
