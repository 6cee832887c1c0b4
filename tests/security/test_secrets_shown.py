"""Keys and passwords are in no text that an object of ours, or an error, shows of itself."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from traceback import format_exception
from typing import Any

import psycopg
import pytest

from ask import composition as ask
from bucketwise.connection import open_connection
from bucketwise.database import Database, connect
from bucketwise.errors import InvalidSettings
from bucketwise.settings import Settings
from bucketwise.snapstart import before_snapshot
from ingest import composition as ingest
from ingest.reconcile_composition import build_reconciliation
from ingest.reindex_handler import build_reindex
from ingest.tenants import Owner
from local.postgres import Postgres

WORD = "canarysecret71c5"
OURS = ("ask.", "bucketwise.", "ingest.", "migrate.")
ENVIRONMENT = {
    "DATABASE_URL": f"postgresql://bucketwise_ask:{WORD}@127.0.0.1:9/none",
    "OPENAI_API_KEY": WORD,
    "OPENAI_BASE_URL": f"http://user:{WORD}@127.0.0.1:9/v1",
    "RERANK": "endpoint",
    "RERANK_URL": f"http://user:{WORD}@127.0.0.1:9/v1",
    "RERANK_API_KEY": WORD,
    "QUEUE_URL": "http://127.0.0.1:9/queue",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    before_snapshot()  # nothing of another test's environment
    yield
    before_snapshot()


def composed() -> dict[str, object]:
    given = Settings.from_environment(ENVIRONMENT)
    database = Database(lambda deadline: connect(given, deadline))
    return {
        "settings": given,
        "database": database,
        "ask": ask.ask_pipeline("default"),
        "asking": ask.asking("default"),
        "documents": ask.documents("default"),
        "budgets": ask.budgets("default"),
        "queue": ask.ingest_queue(),
        "links": ask.link_maker(),
        "ingest": ingest.ingest_pipeline(Owner("default")),
        "postponement": ingest.postponement(),
        "tagger": ingest.tagger(),
        "reconciliation": build_reconciliation(given),
        "reindex": build_reindex(given),
    }


def held(thing: object, seen: set[int]) -> Iterator[tuple[str, object]]:
    """Every attribute of ours below ``thing``, with its path."""
    if id(thing) in seen or not type(thing).__module__.startswith(OURS):
        return
    seen.add(id(thing))
    names = [each.name for each in fields(thing)] if is_dataclass(thing) else list(getattr(thing, "__dict__", {}))
    for name in names:
        value: Any = getattr(thing, name)
        yield f"{type(thing).__name__}.{name}", value
        yield from held(value, seen)


@pytest.mark.usefixtures("environment")
def test_no_object_of_ours_shows_or_holds_a_secret_as_plain_text() -> None:
    made = composed()
    assert [name for name, thing in made.items() if WORD in f"{thing!r} {thing}"] == []
    everything = [each for thing in made.values() if not isinstance(thing, Settings) for each in held(thing, set())]
    assert len(everything) > 60
    assert [path for path, value in everything if WORD in f"{value!r} {value}"] == []


def test_settings_show_that_there_is_a_secret_and_not_which() -> None:
    given = Settings.from_environment(ENVIRONMENT)
    assert "database_url=SecretStr('**********')" in repr(given)
    assert WORD not in f"{given!r} {given}"
    assert WORD not in "".join(format_exception(_raised_by(lambda: Settings.from_environment({"TOP_K": WORD}))))


def test_an_error_of_a_login_does_not_repeat_the_password(postgres: Postgres) -> None:
    for where in (f"127.0.0.1:{postgres.port}/no_such_database", "127.0.0.1:9/none"):
        given = Settings.from_environment({"DATABASE_URL": f"postgresql://bucketwise_ask:{WORD}@{where}"})
        error = _raised_by(lambda given=given: open_connection(given))
        assert isinstance(error, psycopg.OperationalError)
        assert WORD not in "".join(format_exception(error))


@pytest.mark.parametrize(
    "url",
    [f"postgresql://u:{WORD}@[::1/x", f"postgresql://h/x?password={WORD}&{WORD}=1", f"password={WORD} {WORD}", WORD],
)
def test_an_error_of_a_url_does_not_repeat_it(url: str) -> None:
    error = _raised_by(lambda: open_connection(Settings.from_environment({"DATABASE_URL": url})))
    assert isinstance(error, InvalidSettings)
    assert WORD not in "".join(format_exception(error))


def test_a_connection_does_not_show_its_password(postgres: Postgres) -> None:
    url = postgres.superuser_dsn.replace("postgres@", f"postgres:{WORD}@")
    with open_connection(Settings.from_environment({"DATABASE_URL": url})) as connection:
        assert connection.info.password == WORD  # it was given
        assert WORD not in f"{connection!r} {connection} {connection.info.dsn}"


def _raised_by(call: Any) -> BaseException:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # which one, the test says
        call()
    return raised.value
