"""No statement is put together from what somebody sent: values are bound, names are quoted by psycopg."""

from pathlib import Path

import pytest

from tests.security.sql_texts import Sources

ROOT = Path(__file__).parents[2]
# Whole files of the package.
ALLOWED = frozenset({"migration.text.encode()", "_file('rights.sql')", "_file('roles.sql')"})
FILES = [path for folder in ("functions", "layers/bucketwise", "local") for path in (ROOT / folder).rglob("*.py")]

GOOD = [
    "connection.execute('SELECT 1')",
    "connection.execute('SELECT %s', (f'{key}%',))",
    "LOOK = 'SELECT ' + 'now()'\nconnection.execute(LOOK)",
    "PART = 'x'\nLOOK = f'SELECT {PART}'\nconnection.execute(LOOK)",
    "connection.execute(sql.SQL('DROP TABLE {}').format(sql.Identifier(name)))",
    "connection.execute(sql.SQL(', ').join(map(sql.Identifier, names)))",
    "def run(query: LiteralString) -> None:\n    connection.execute(query)",
    "def named(query: LiteralString) -> Composed:\n    return sql.SQL(query).format(1)\nconnection.execute(named('x'))",
]
BAD = [
    "connection.execute(f'SELECT {key}')",
    "connection.execute('SELECT %s' % key)",
    "connection.execute('SELECT {}'.format(key))",
    "connection.execute('SELECT ' + key)",
    "connection.execute(' '.join(['SELECT', key]))",
    "connection.execute(f'SELECT {key}'.encode())",
    "connection.execute('SELECT x'.replace('x', key))",
    "query = 'SELECT 1'\nif key:\n    query += key\nconnection.execute(query)",
    "query = f'SELECT {key}'\nconnection.execute(query)",
    "with cursor.copy(f'COPY {table} FROM STDIN') as copy:\n    pass",
    "cursor.executemany(f'INSERT INTO {table}', rows)",
    "connection.execute(sql.SQL(f'SELECT {key}'))",
    "composed = sql.SQL('SELECT ' + key)",
    "connection.execute(sql.SQL('SELECT ').join(x) + key)",
    "def run(query: str) -> None:\n    connection.execute(query)",
    "def run(query: bytes) -> None:\n    connection.execute(query)",
    "def made(key: str) -> str:\n    return f'SELECT {key}'\nconnection.execute(made(key))",
    "def made(key: str) -> LiteralString:\n    return cast('LiteralString', key)\nconnection.execute(made(key))",
    "connection.execute(cast('LiteralString', key))",
    "def run(query: LiteralString) -> None:\n    connection.execute(query)\nrun(f'SELECT {key}')",
    "def run(*, query: LiteralString) -> None:\n    connection.execute(query)\nrun(query=key + 'x')",
    "connection.execute(settings.query)",
]


def test_every_query_is_literal_or_composed() -> None:
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    assert sum(text.count(".execute(") for text in texts.values()) > 50
    assert Sources(texts, ALLOWED).doubtful() == []


@pytest.mark.parametrize("snippet", GOOD)
def test_what_is_safe_is_not_doubted(snippet: str) -> None:
    assert Sources({"snippet.py": f"import psycopg\n{snippet}"}).doubtful() == []


@pytest.mark.parametrize("snippet", BAD)
def test_what_is_put_together_is_found(snippet: str) -> None:
    assert Sources({"snippet.py": f"import psycopg\n{snippet}"}).doubtful() != []
