"""Three tenants of which each has what another has, as the same key or the same text; all else tells whose it is."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from itertools import product
from typing import Any

from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.types.json import Json, Jsonb

from ask.filters import Filters
from bucketwise.errors import UnreadableDocument
from bucketwise.keyword_terms import question_terms
from bucketwise.models import FailureReason
from bucketwise.search import K1, MOST_POSTINGS, B
from tests.integration.corpus import QUESTION, Corpus, corpus_of, random_vector
from tests.integration.index_database import DIMENSIONS, MODEL, IndexDatabase, connected
from tests.unit.ingest_fakes import SOON, facts

LANGUAGES = {"ada": "en", "ben": "de", "cleo": "en"}
SHARED = [f"Part {number} of what all have speaks of trains and harbours." for number in range(4)]
FRENCH = "Quai"  # a text with this word is taken for French
KEYS = ["folder/same.txt", "folder/other.txt", "failed.txt", "queued.txt", "ada.txt", "ben.txt", "cleo.txt", "none.txt"]
QUESTIONS = ["", "Which harbours have trains?", "Zug harbour", "canaryada canaryben"]
VECTORS = [None, QUESTION]
DEPTHS = [2, 20]
VERSION = 20
KEPT, NOT_KEPT = b"fingerprint", b"another"
EXACT_BELOW = [0, 10_000]
NO_FLOOR, FLOOR = (20, None, None), (1, 0.1, 0.5)  # how many are wanted, and what they must have
SPENDING = {"reserve_budget", "settle_budget"}
CALLER = b"c" * 32  # in all tenants the same
SPENT = {"ada": 10, "ben": 20, "cleo": 30}
SETTLE = "SELECT bucketwise.settle_budget(%s, %s, (now() AT TIME ZONE 'UTC')::date, %s, 0)"
# Its argument has the reservation wait for what is settled.
RESERVE_SETTLED = """
    SELECT r.scope, r.unit
    FROM bucketwise.settle_budget(%s, %s, (now() AT TIME ZONE 'UTC')::date, %s, 0) AS settled,
    LATERAL bucketwise.reserve_budget(%s, %s, 1 + length(settled::text), 0, %s, NULL, %s, NULL) AS r"""
FILTERS = [
    Filters(),
    Filters(prefix="folder"),
    Filters(key="folder/same.txt"),
    *(Filters(metadata={"owner": f"canary{name}"}) for name in LANGUAGES),
]

Call = tuple[str, tuple[Any, ...]]
Floor = tuple[int, float | None, float | None]


@contextmanager
def canary_tenants(database: IndexDatabase, *names: str) -> Iterator[None]:
    """Those with these names, or all, in one database."""
    with ExitStack() as opened:
        tenants = {
            name: opened.enter_context(corpus_of(database, name, detect=partial(_language_of, name)))
            for name in LANGUAGES
            if not names or name in names
        }
        for name, corpus in tenants.items():
            _fill(name, corpus)
        with connected(database.ask) as ask:
            for name in tenants:
                ask.execute(SETTLE, (name, CALLER, SPENT[name]))
        for name, tell_apart in {"ada": _tell_ada_apart, "ben": _tell_ben_apart}.items():
            if name in tenants:
                tell_apart(tenants[name])
        for name, corpus in tenants.items():
            _keep(name, corpus)
        yield


def _language_of(name: str, text: str) -> str:
    return "fr" if FRENCH in text else LANGUAGES[name]


def _fill(name: str, corpus: Corpus) -> None:
    own = [f"Part {number} is canary{name}'s own; der Zug hält im harbour." for number in range(4)]
    for key, texts in {"folder/same.txt": SHARED, f"{name}.txt": own}.items():
        _add(corpus, key, *texts, owner=f"canary{name}", title=f"Of canary{name}")
    hint = UnreadableDocument(FailureReason.CORRUPT, f"Ask canary{name}.")
    claim = corpus.index.claim(deadline=SOON)
    assert corpus.index.fail(facts("failed.txt", f"canary{name}"), hint, claim, deadline=SOON)
    corpus.index.postpone("folder/same.txt", tries=1, reason=f"canary{name}", seconds=60, deadline=SOON)


# What one has, or had once, the other has elsewhere, or in another state.


def _tell_ada_apart(ada: Corpus) -> None:
    _add(ada, "folder/other.txt", "Of one as a document.")
    ada.index.postpone("queued.txt", tries=1, reason="canaryada", seconds=60, deadline=SOON)
    _add(ada, "ben.txt", "Of a text that Ben had.", "Once Ada's.")
    _add(ada, "ben.txt", "Later Ada's.")
    _add(ada, "two languages.txt", f"{FRENCH}: which harbours, which trains?")


def _tell_ben_apart(ben: Corpus) -> None:
    _add(ben, "queued.txt", "Of one as a document.")
    _add(ben, "folder/other.txt", "Part 0 is canaryada's own; der Zug hält im harbour.")
    _add(ben, "folder/other.txt", "Replaced.")
    _add(ben, "none.txt", "Once Ada's.", "Of one as a document.")
    _add(ben, "ada.txt", "Later Ada's.", "Of a text that Ben had.")
    _add(ben, "ada.txt", "Ben's.")


def _keep(name: str, corpus: Corpus) -> None:
    """Brings all to one corpus version, in which each keeps its own of what all ask."""
    described = facts("folder/same.txt", "v1", metadata={"owner": f"canary{name}"})
    while corpus.ask("").corpus_version < VERSION:
        assert corpus.index.describe(described, corpus.index.claim(deadline=SOON), deadline=SOON)
    assert corpus.ask("").corpus_version == VERSION
    for function in ("keep_answer", "keep_question"):
        corpus.asked.run(partial(_answered, function, name), deadline=SOON)


def _answered(function: str, name: str, connection: Connection) -> list[list[Any]]:
    return list(answers(connection, function, name))


def _add(corpus: Corpus, key: str, *texts: str, owner: str = "nobody", title: str | None = "Title") -> None:
    """A vector is another one for each tenant, also for a text that all have: no two are equally near to a question."""
    vectors = [random_vector(f"{corpus.index.tenant} {text}") for text in texts]
    corpus.add(key, *texts, like=vectors, title=title, metadata={"owner": owner})


@cache
def calls() -> dict[str, list[Call]]:
    """For each function that ask may execute, and that knows tenants, what is asked in the name of each of them."""
    named = list(product(LANGUAGES, KEYS))
    of_all = "SELECT * FROM bucketwise.documents_page(%s, NULL, '', %s, '', 1000, true)"
    of_one = "SELECT * FROM bucketwise.documents_page(%s, %s, '', NULL, '', 1, true)"
    return {
        "keep_answer": [_kept(name) for name in LANGUAGES],
        "keep_question": [
            (
                "SELECT bucketwise.keep_question(%s, %s, %s, %s, %s, 9)",
                (name, KEPT, MODEL, DIMENSIONS, HalfVector(random_vector(name))),
            )
            for name in LANGUAGES
        ],
        "cached": [
            ("SELECT * FROM bucketwise.cached(%s, %s, 3600, %s, %s, %s)", (name, *digests, MODEL, DIMENSIONS))
            for name, digests in product(LANGUAGES, product((KEPT, NOT_KEPT), repeat=2))
        ],
        "corpus_version": [("SELECT bucketwise.corpus_version(%s)", (name,)) for name in LANGUAGES],
        "spoken_languages": [("SELECT bucketwise.spoken_languages(%s)", (name,)) for name in LANGUAGES],
        "held_version": [("SELECT * FROM bucketwise.held_version(%s, %s)", each) for each in named],
        "stored_for": [("SELECT * FROM bucketwise.stored_for(%s, %s)", each) for each in named],
        "documents_page": [(of_all, each) for each in product(LANGUAGES, (None, "queued", "failed"))]
        + [(of_one, each) for each in named],
        "neighbours": [
            ("SELECT * FROM bucketwise.neighbours(%s, %s, %s, %s)", (name, KEYS, [0] * len(KEYS), [9] * len(KEYS)))
            for name in LANGUAGES
        ],
        "search": [
            ("SELECT * FROM bucketwise.search(%s, '', %s, '{}', 20, 20, 0.5, %s)", (name, HalfVector(QUESTION), below))
            for name, below in product(LANGUAGES, EXACT_BELOW)
        ],
        "reserve_budget": [
            _reserve(name, *limits) for name in LANGUAGES for limits in product((-1, 3, None), repeat=2)
        ],
        "settle_budget": [_settle(name, *limits) for name in LANGUAGES for limits in ((4, 9), (9, 4), (9, 9))],
        "keyword_leg": [_keyword_leg(*each) for each in product(LANGUAGES, QUESTIONS, FILTERS, DEPTHS, EXACT_BELOW)],
        "search_relevant": [
            _relevant(*each)
            for floor, filters in ((NO_FLOOR, FILTERS[:2]), (FLOOR, FILTERS[:1]))
            for each in product(LANGUAGES, LANGUAGES, QUESTIONS, VECTORS, filters, EXACT_BELOW, [floor])
        ],
        "search_both": [_both(*each) for each in product(LANGUAGES, LANGUAGES, QUESTIONS[:2], VECTORS)],
        "hybrid_search": [
            _hybrid(*each) for each in product(LANGUAGES, QUESTIONS, VECTORS, FILTERS, DEPTHS, EXACT_BELOW)
        ],
    }


def _kept(name: str) -> Call:
    statement = "SELECT bucketwise.keep_answer(%s, %s, %s, %s, %s, %s)"
    return statement, (name, KEPT, VERSION, Json({"text": f"canary{name}"}), ["folder/same.txt"], ["v1"])


def _hybrid(name: str, question: str, vector: list[float] | None, filters: Filters, depth: int, below: int) -> Call:
    given = HalfVector(vector) if vector is not None else None, Jsonb(filters.for_index())
    statement = "SELECT * FROM bucketwise.hybrid_search(%s, %s, %s, %s, %s, %s, 20, %s, 0.5, %s, %s, %s, %s)"
    return statement, (name, *_terms(question), *given, depth, below, MOST_POSTINGS, K1, B)


def _keyword_leg(name: str, question: str, filters: Filters, depth: int, below: int) -> Call:
    statement = "SELECT * FROM bucketwise.keyword_leg(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    return statement, (name, *_terms(question), Jsonb(filters.for_index()), depth, below, MOST_POSTINGS, K1, B)


def _both(name: str, other: str, question: str, vector: list[float] | None) -> Call:
    """With what the keyword leg found for one tenant or another."""
    _, leg = _keyword_leg(other, question, Filters(), DEPTHS[0], EXACT_BELOW[0])
    _, values = _hybrid(name, question, vector, Filters(), DEPTHS[0], EXACT_BELOW[0])
    statement = """SELECT * FROM bucketwise.search_both(
        %s, %s, %s, %s, %s, %s, 20, %s, 0.5, %s, %s, %s, %s, 'max',
        bucketwise.keyword_leg(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s))"""
    return statement, (*values, *leg)


def _relevant(
    name: str, other: str, question: str, vector: list[float] | None, filters: Filters, below: int, floor: Floor
) -> Call:
    """With what the keyword leg found for one tenant or another, above a floor or without one."""
    _, leg = _keyword_leg(other, question, filters, DEPTHS[0], below)
    _, (*values, depth, below, most_postings, k1, b) = _hybrid(name, question, vector, filters, DEPTHS[0], below)
    statement = """SELECT * FROM bucketwise.search_relevant(
        %s, %s, %s, %s, %s, %s, %s, 20, %s, %s, %s, 0.5, %s, %s, %s, %s, 'max',
        bucketwise.keyword_leg(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s))"""
    return statement, (*values, *floor, depth, below, most_postings, k1, b, *leg)


def _terms(question: str) -> tuple[list[int], list[str], list[int]]:
    asked = question_terms(question)
    return [one.word for one in asked], [one.language for one in asked], [one.term for one in asked]


def _reserve(name: str, *beyond: int | None) -> Call:
    """What a reservation of 1 is told, with limits of caller and tenant so far beyond what was spent."""
    limits = [None if more is None else SPENT[name] + more for more in beyond]
    return (
        "SELECT r.scope, r.unit FROM bucketwise.reserve_budget(%s, %s, 1, 0, %s::bigint, NULL, %s::bigint, NULL) AS r",
        (name, CALLER, *limits),
    )


def _settle(name: str, *beyond: int) -> Call:
    """What a reservation of 1 is told after 5 more were settled."""
    limits = [SPENT[name] + more for more in beyond]
    return RESERVE_SETTLED, (name, CALLER, 5, name, CALLER, *limits)


def answers(connection: Connection, function: str, *names: str) -> Iterator[list[Any]]:
    """To all of its calls, or those of some tenants, in their order; the rows of each in an order of their own.

    What is spent is taken back. What is kept stays: it is the same each time.
    """
    register_vector(connection)
    for statement, values in calls()[function]:
        if not names or values[0] in names:
            with connection.transaction(force_rollback=function in SPENDING):
                rows = connection.execute(statement.encode(), values).fetchall()
            yield sorted(rows, key=repr)
