"""All that can go wrong with private things, each of which is seen to have happened."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus

from psycopg import sql

from local.function import Function
from local.services import BUCKET
from tests.hostile.make import hostile_files
from tests.security.canaries import Canaries
from tests.security.telltale_models import MISDEEDS, PASS
from tests.security.watched_twin import PATIENCE_SECONDS, Watched
from tests.unit.fakes import http_event
from tests.unit.test_events import notification


def key(canaries: Canaries, name: str) -> str:
    return f"{canaries.key}/{name}"


def question(canaries: Canaries) -> str:
    return f"How much leave is there, {canaries.question}?"


def answer(system: Watched) -> None:
    canaries = system.canaries
    text = f"Leave is 25 days a year for {canaries.text}, {canaries.question} and {canaries.history}. Ask the office."
    system.put(key(canaries, "handbook.md"), text, Metadata={"note": canaries.metadata})
    system.settle()
    history = [{"question": f"Who is {canaries.history}?", "answer": f"{canaries.history} is away."}]
    filters = {"metadata": {"note": canaries.metadata}}
    for options in ({}, {"history": history}, {"filters": filters}, {"explain": True}, {}):
        reply = system.post("/ask", question=question(canaries), **options)
        assert reply.status == 200, reply
        assert canaries.text in json.dumps(reply.body), (options, reply)
    [citation, *_] = reply.body["citations"]
    object.__setattr__(canaries, "signature", citation["url"].partition("X-Amz-Signature=")[2].partition("&")[0])
    assert len(canaries.signature) > 30
    assert system.post("/search", question=question(canaries)).status == 200
    assert system.send("GET", f"/documents?key={quote_plus(key(canaries, 'handbook.md'))}").status == 200
    assert system.post("/retries", key=key(canaries, "handbook.md")).status == 202
    system.settle()
    assert "finished" in system.invoke(system.twin.reconciler, {})


def refuse_documents(system: Watched) -> None:
    canaries = system.canaries
    [crashing] = [file for file in hostile_files() if file.name == "corners.xls"]
    given = {
        "broken.pdf": (f"%PDF-1.4 {canaries.text}".encode(), "corrupt"),
        "empty.txt": (b" ", "empty"),
        "what.bin": (b"\0\1\2" + canaries.text.encode() + bytes(range(256)), "unsupported"),
        "crashing.xls": (crashing.content, "corrupt"),
        "described.txt": (canaries.text.encode(), "bad_metadata"),
    }
    system.put(key(canaries, "described.txt.metadata.json"), f'{{"{canaries.metadata}": [[')
    for name, (content, _) in given.items():
        system.put(key(canaries, name), content)
    system.settle()
    states = system.states()
    assert {name: states[key(canaries, name)] for name in given} == {name: why for name, (_, why) in given.items()}
    assert system.logs["ingest"].count("a parsing process was lost") == 1
    assert "ParsersLost" in system.logs["ingest"]


def refuse_requests(system: Watched) -> None:
    canaries = system.canaries
    asked = question(canaries)
    wrong = {
        f'{{"question": "{asked}"': 400,
        json.dumps({"question": asked * 200}): 422,
        json.dumps({"question": asked, "top_k": canaries.key}): 422,
        json.dumps({"question": [canaries.history]}): 422,
        json.dumps({"question": asked, "filters": {"prefix": f"{canaries.key}\0"}}): 422,
        json.dumps({"question": asked, "min_version": {"key": canaries.key, "version": canaries.metadata}}): 409,
        json.dumps({"question": asked, "min_version": 10**9}): 409,
    }
    for body, status in wrong.items():
        assert system.send("POST", "/ask", body.encode()).status == status, body
    assert system.send("POST", "/ask", b"\xff\xfe" + asked.encode()).status == 400
    assert system.send("GET", f"/documents?key={canaries.key}").status == 404
    assert system.send("GET", f"/{canaries.key}").status == 404
    assert system.post("/retries", key=canaries.key).status == 404


def misbehave_as_a_model(system: Watched) -> None:
    canaries, telltale = system.canaries, system.twin.telltale
    for number, misdeed in enumerate(MISDEEDS):
        telltale.does = misdeed
        ask = new_ask(system)  # whose circuits are closed
        event = ask_event(f"{question(canaries)} {number}", canaries)
        told = json.loads(system.invoke(ask, event))
        assert told["statusCode"] == 200, told
        assert json.loads(told["body"])["degraded"], misdeed
        system.results.pop()  # a good answer, with the caller's own words in it
        before = system.logs["ingest"].count('"outcome":"postponed"')
        system.put(key(canaries, f"later{number}.txt"), f"{canaries.text} for {number}.")
        wait_for(lambda: system.logs["ingest"].count('"outcome":"postponed"') > before)  # noqa: B023  # called here
    telltale.does = PASS
    for number in range(len(MISDEEDS)):
        assert system.post("/retries", key=key(canaries, f"later{number}.txt")).status in {202, 404}


def new_ask(system: Watched) -> Function:
    return system.twin.function("ask", system.twin.ask.configuration.variables, 29.0)


def ask_event(asked: str, canaries: Canaries) -> dict[str, Any]:
    history = [{"question": f"Who is {canaries.history}?", "answer": "Away."}]
    return http_event("POST", "/ask", json.dumps({"question": asked, "history": history, "cache": False}))


def misbehave_as_a_database(system: Watched) -> None:
    """With messages and details that repeat what it was given, as PostgreSQL's do."""
    canaries, bare = system.canaries, bare_event(key(system.canaries, "refused.txt"))
    with forbidden(system, "chunks", "text", canaries.text):
        before = system.logs["ingest"].count('"error":"CheckViolation"')
        system.put(key(canaries, "refused.txt"), f"Nobody stores {canaries.text}.")
        wait_for(lambda: system.logs["ingest"].count('"error":"CheckViolation"') > before + 1)
        assert system.invoke(system.twin.ingest, bare).count("CheckViolation")
    with forbidden(system, "waiting", "key", canaries.key):
        with system.database() as superuser:
            superuser.execute("UPDATE bucketwise.documents SET fingerprint = 'another'")
        assert system.invoke(system.twin.reconciler, {}).count("CheckViolation")
    owner = system.twin.postgres.dsn("bucketwise_migrate", system.database_name)
    reindex = system.twin.function("reindex", {**system.twin.ask.configuration.variables, "DATABASE_URL": owner}, 30.0)
    with forbidden(system, "embedding_sets", "embedding_model", canaries.message):
        going_over = {"embedding_model": canaries.message, "dimensions": 16}
        assert "CheckViolation" in system.invoke(reindex, going_over)
    for name in ("search_relevant", "keyword_leg", "documents_page", "keep_answer", "cached"):
        with telling(system, name):
            asked = system.post("/ask", question=f"{question(canaries)} {name}")
            listed = system.send("GET", f"/documents?prefix={canaries.key}&after={canaries.key}")
        assert asked.status == (200 if name in {"documents_page", "keep_answer"} else 500), (name, asked)
        assert listed.status == (500 if name == "documents_page" else 200), listed
    assert system.logs["ask"].count('"error":"UniqueViolation"') >= 4


@contextmanager
def forbidden(system: Watched, table: str, column: str, word: str) -> Iterator[None]:
    """A row with the word is refused, and told whole in the error's detail."""
    names = {"table": sql.Identifier("bucketwise", table), "column": sql.Identifier(column), "word": f"%{word}%"}
    add = "ALTER TABLE {table} ADD CONSTRAINT no_canary CHECK ({column} NOT LIKE {word}) NOT VALID"
    with system.database() as superuser:
        superuser.execute(sql.SQL(add).format(**names))
    yield
    with system.database() as superuser:
        superuser.execute(sql.SQL("ALTER TABLE {table} DROP CONSTRAINT no_canary").format(**names))


@contextmanager
def telling(system: Watched, function: str) -> Iterator[None]:
    """A function of the index that raises all it was given."""
    with system.database() as superuser:
        [(whole, arguments, result, count)] = superuser.execute(
            """SELECT pg_get_functiondef(oid), pg_get_function_arguments(oid), pg_get_function_result(oid), pronargs
               FROM pg_proc WHERE proname = %s AND pronamespace = 'bucketwise'::regnamespace""",
            (function,),
        ).fetchall()
        given = sql.SQL(", ").join(sql.SQL(f"${number + 1}") for number in range(count))
        superuser.execute(
            sql.SQL(
                """CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS $b$
                   BEGIN RAISE EXCEPTION 'no %', row({given})::text
                         USING ERRCODE = '23505', DETAIL = row({given})::text, HINT = row({given})::text; END $b$"""
            ).format(
                name=sql.Identifier("bucketwise", function),
                arguments=sql.SQL(arguments),
                result=sql.SQL(result),
                given=given,
            )
        )
    yield
    with system.database() as superuser:
        superuser.execute(whole)


def lose_the_database(system: Watched) -> None:
    canaries = system.canaries
    system.twin.postgres.kill()
    assert system.post("/ask", question=question(canaries)).status == 503
    assert system.send("GET", f"/documents?key={canaries.key}").status == 503
    assert system.invoke(system.twin.ingest, bare_event(key(canaries, "handbook.md"))).count("DatabaseUnavailable")
    system.twin.postgres.restart()
    assert system.post("/search", question=question(canaries)).status == 200


def misdirect_events(system: Watched) -> None:
    canaries, before = system.canaries, system.logs["ingest"].count('"error":"MalformedEvent"')
    bodies = [
        f"{canaries.message} is no JSON",
        json.dumps([canaries.message]),
        json.dumps({"Records": [{"eventName": canaries.message, "s3": canaries.message}]}),
        json.dumps(notification(f"{canaries.key}/x.txt", bucket=canaries.message)),
        json.dumps(notification(f"{canaries.key}/%00")),
    ]
    for body in bodies:
        system.twin.storage.sqs.send_message(QueueUrl=system.twin.queue_url, MessageBody=body)
    wait_for(lambda: system.logs["ingest"].count('"error":"MalformedEvent"') >= before + len(bodies))
    assert system.invoke(system.twin.ingest, {"Records": [{"s3": canaries.message}]}).count("MalformedEvent")


def misconfigure(system: Watched) -> None:
    canaries = system.canaries
    good = dict(system.twin.ask.configuration.variables)
    reindex = system.twin.function("reindex", good, 30.0)
    assert "wrong in the event" in system.invoke(reindex, {"dimensions": canaries.message, canaries.message[:5]: 1})
    signed = f"http://127.0.0.1:9/{canaries.key}?X-Amz-Signature={canaries.signature}"
    unreadable = f"postgresql://master:{canaries.password}@[::1/none"
    for url in (
        unreadable,
        f"postgresql://master:{canaries.password}@127.0.0.1:{canaries.password}/none",
        f"postgresql://127.0.0.1/none?password={canaries.password}&{canaries.password}=1",
        f"host=127.0.0.1 port=9 password={canaries.password} {canaries.password}",
        f"postgresql://master:{canaries.password}@127.0.0.1:9/none",
    ):
        event = {"RequestType": "Create", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
        migrate = system.twin.function("migrate", good | {"DATABASE_URL": url}, 26.0)
        assert "rror" in system.invoke(migrate, event | {"ResponseURL": signed})
    search = http_event("POST", "/search", json.dumps({"question": question(canaries)}))
    events = {"ask": search, "ingest": bare_event(canaries.key), "reconcile": {}, "reindex": {"drop_others": True}}
    for name, event in events.items():
        told = system.invoke(system.twin.function(name, good | {"DATABASE_URL": unreadable}, 20.0), event)
        assert "InvalidSettings" in told or '"statusCode": 500' in told, told


def bare_event(key: str) -> dict[str, object]:
    return notification(quote_plus(key, safe="/"), bucket=BUCKET)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)
