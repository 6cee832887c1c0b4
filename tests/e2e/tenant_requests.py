"""Requests of every route, in the words of a tenant, and what their replies say."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from local.api import Reply
from tests.e2e.site import Site

SAME = b"The gate of the harbour closes at nine in the evening, and opens again at six."
QUESTION = "When does the gate of the harbour close?"

Request = tuple[str, str, Any]
Versions = dict[str, str]


def plant(of: Site) -> Versions:
    """The versions by key: S3's ids, which tell whose they are like any canary."""
    described = {"Metadata": {"owner": of.canary}}
    page = (
        f"<title>On {of.canary}</title><h1>{of.canary} Hall</h1><p>The code of {of.canary} opens the gate of the vault."
    )
    return {
        key: of.put(key, content, **options)
        for key, content, options in [
            ("all/gates.txt", SAME, described),
            ("all/vault.html", page.encode(), described),
            (f"{of.canary}/gates.txt", SAME, {}),
            (f"{of.canary}/broken.pdf", b"%PDF-1.7 broken", {}),
            ("all/broken.docx", b"PK\3\4 broken", described),
        ]
    }


def requests(canary: str, versions: Versions, *, asked: str = "") -> Iterator[Request]:
    """Each route with whatever it takes, in the words of the tenant whose ``canary`` that is.

    ``asked``: instead of a question that has the canary in it.
    """
    owner: list[Any] = [
        canary,
        {"contains": canary},
        {"ne": canary},
        {"in": [canary]},
        {"gte": canary},
        {"exists": True},
    ]
    own = f"{canary}/gates.txt"
    filters: list[dict[str, Any]] = [
        {},
        {"key": own},
        {"key": "all/vault.html"},
        {"prefix": canary},
        {"prefix": "all/"},
        {"any": [{"key": own}, {"prefix": "all"}]},
        {"not": {"metadata": {"owner": canary}}},
        *({"metadata": {"owner": test}} for test in owner),
        {"metadata": {"title": {"contains": canary}}},
    ]
    turn = asked or f"What is the code of {canary}?"
    for route, question, given in product(("/search", "/ask"), {QUESTION, turn}, filters):
        explained = {"explain": True, "history": [{"question": turn, "answer": turn}]} if route == "/ask" else {}
        yield "POST", route, {"question": question, "filters": given, "top_k": 50} | explained
    wanted: list[Any] = [{"key": key, "version": version} for key, version in versions.items()]
    for route, version in product(("/search", "/ask"), [*wanted, 1_000_000]):
        yield "POST", route, {"question": QUESTION, "min_version": version}
    keys = [*versions, canary, "none.txt"]
    for query in [{}, {"prefix": canary}, {"prefix": "all"}, {"after": "all"}, *({"key": key} for key in keys)]:
        yield "GET", "/documents", query
    for state in ("indexed", "failed", "deleted", "queued"):
        yield "GET", "/documents", {"state": state}
    for key in keys:
        yield "POST", "/retries", {"key": key}
    yield "POST", "/retries", {"all_failed": True}
    yield "GET", "/health", {"deep": "1"}
    yield "GET", "/openapi.json", {}
    yield "GET", f"/{canary}", {}
    wrong: list[Any] = [
        {"question": ""},
        {"question": turn, "filters": {"key": ""}},
        {"question": turn, "top_k": 99},
        [],
    ]
    for content in wrong:
        yield "POST", "/ask", content


def send(of: Site, request: Request) -> Reply:
    method, path, content = request
    return of.api.get(path, **content) if method == "GET" else of.api.post(path, content)


def said(reply: Reply) -> str:
    """Without what `explain` repeats of the request."""
    return json.dumps([reply.headers, without_echo(reply.body)], ensure_ascii=False)


def without_echo(body: Any) -> Any:
    if not isinstance(body, dict) or not body.get("explain"):
        return body
    return body | {"explain": body["explain"] | {"question": None, "filters": None}}


def without_chance(reply: Reply) -> tuple[int, Any]:
    """Without what is another with each request: its number, its time, the signatures of its links, and whether it was
    the first of its kind.
    """
    body = without_echo(reply.body) if isinstance(reply.body, dict) else {}
    kept = {name: value for name, value in body.items() if name not in {"request_id", "timings_ms", "usage", "cache"}}
    if kept.get("explain"):
        kept["explain"] |= {"trace_id": None}
    kept["citations"] = [citation | {"url": None} for citation in body.get("citations", [])]
    return reply.status, kept
