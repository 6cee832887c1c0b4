"""What goes to PostgreSQL as a query, traced back in the source: literal text, or psycopg's composition of it."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

QUERIES = {"execute", "executemany", "copy", "stream"}
# psycopg.sql: what is not SQL text itself is quoted.
QUOTED = {"Identifier", "Literal", "Placeholder"}
TYPED = ("LiteralString", "Composed", "Composable", "SQL")


@dataclass
class File:
    """What its names stand for, wherever in it they are given a value. A scope is not told from another."""

    tree: ast.Module
    values: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, list[ast.FunctionDef]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for name in (target.id for target in targets if isinstance(target, ast.Name)):
                        self.values[name].append(value)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    self.types[name].append(ast.unparse(annotation))
                    if value is not None:
                        self.values[name].append(value)
                case ast.AugAssign(target=ast.Name(id=name), value=value):
                    self.values[name].append(value)
                case ast.arg(arg=name, annotation=annotation):
                    self.types[name].append(ast.unparse(annotation) if annotation else "")
                case ast.FunctionDef(name=name):
                    self.functions[name].append(node)


class Sources:
    """Files, text by path. Constants and fields may be another file's, functions that make a query may not."""

    def __init__(self, texts: Mapping[str, str], allowed: frozenset[str] = frozenset()) -> None:
        self._files = {path: File(ast.parse(text)) for path, text in texts.items()}
        self._checked = {path: self._files[path] for path, text in texts.items() if "psycopg" in text}
        self._allowed = allowed

    def doubtful(self) -> list[str]:
        """Path, line and source of each query that is built in another way, or that cannot be traced."""
        return [
            f"{path}:{query.lineno} {ast.unparse(query)}"
            for path, file in self._checked.items()
            for query in (*_queries(file.tree), *_handed_on(file))
            if ast.unparse(query) not in self._allowed and not self._is_safe(query, file, frozenset())
        ]

    def _is_safe(self, query: ast.expr, file: File, seen: frozenset[str]) -> bool:
        match query:
            case ast.Constant():
                return True
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
                return self._is_safe(first, file, seen) and self._is_safe(second, file, seen)
            case ast.JoinedStr(values=parts):  # of constants, as long texts are put together
                return all(self._is_safe(_inner(part), file, seen) for part in parts)
            case ast.Call():
                return self._is_composed(query, file, seen)
            case ast.Name(id=name) if name not in seen:
                return self._name_is_safe(name, file, seen | {name})
            case ast.Attribute(attr=name):
                return _typed(self._everywhere(name))
        return False

    def _name_is_safe(self, name: str, file: File, seen: frozenset[str]) -> bool:
        if values := file.values[name]:
            return all(self._is_safe(value, file, seen) for value in values)
        if name.isupper():
            imported = [(value, other) for other in self._files.values() for value in other.values[name]]
            return bool(imported) and all(self._is_safe(value, other, seen) for value, other in imported)
        return _typed(file.types[name])

    def _everywhere(self, name: str) -> list[str]:
        return [annotation for file in self._files.values() for annotation in file.types[name]]

    def _is_composed(self, call: ast.Call, file: File, seen: frozenset[str]) -> bool:
        match call.func:
            case ast.Attribute(attr="SQL") | ast.Name(id="SQL"):
                return self._is_safe(call.args[0], file, seen)
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in QUOTED:
                return True
            case ast.Attribute(value=ast.Call() as text, attr="format" | "join"):
                return self._is_composed(text, file, seen)
            case ast.Attribute(attr=name) | ast.Name(id=name) if file.functions[name] and name not in seen:
                return all(
                    self._is_safe(returned, file, seen | {name})
                    for each in file.functions[name]
                    for returned in _returned(each)
                )
        return False


def _queries(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[query, *_]) if name in QUERIES:
                yield query
            case ast.Call(func=ast.Attribute(attr="SQL") | ast.Name(id="SQL"), args=[query, *_]):
                yield query


def _handed_on(file: File) -> Iterator[ast.expr]:
    """What is given for a parameter that is declared to be literal: mypy takes any text for it."""
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                for function in file.functions[name]:
                    parameters = [each for each in function.args.args if each.arg != "self"]
                    literal = {each.arg for each in (*parameters, *function.args.kwonlyargs) if _is_literal(each)}
                    yield from (given for each, given in zip(parameters, args, strict=False) if each.arg in literal)
                    yield from (each.value for each in keywords if each.arg in literal)


def _is_literal(parameter: ast.arg) -> bool:
    return parameter.annotation is not None and "LiteralString" in ast.unparse(parameter.annotation)


def _inner(part: ast.expr) -> ast.expr:
    return part.value if isinstance(part, ast.FormattedValue) else part


def _returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    yield from (node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None)


def _typed(annotations: Iterable[str]) -> bool:
    """Whether a type checker sees to it, wherever the name stands for something."""
    given = list(annotations)
    return bool(given) and all(any(kind in annotation for kind in TYPED) for annotation in given)
