"""How ask's parts are put together by the settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ask import composition
from ask.answer_cache import AnswerCache
from ask.budgets import Limits
from ask.composition import SHAPING_PROMPTS, TENANTS_KEPT, build_asking, build_pipeline
from ask.floor import RelevanceFloor
from ask.neighbours import NeighbourTable
from ask.pipeline import AskPipeline
from ask.rerank import ChatReranker, EndpointReranker, Reranker
from ask.retrieval import Query
from bucketwise import model_key
from bucketwise.database import Database, connect
from bucketwise.errors import SecretUnavailable
from bucketwise.index_kind import IndexKind
from bucketwise.settings import Settings
from bucketwise.telemetry import Telemetry
from local.function_settings import model_settings


def reranker(**variables: str) -> Reranker | None:
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"} | variables)
    return build_pipeline(
        given, Database(lambda deadline: connect(given, deadline)), Telemetry("ask")
    ).refinement.reranker


def fingerprint() -> bytes:
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"})
    database, telemetry = Database(lambda deadline: connect(given, deadline)), Telemetry("ask")
    asking = build_asking(given, build_pipeline(given, database, telemetry), database, telemetry, given.tenant)
    return asking.fingerprint(Query("How much leave?"), IndexKind("m", 8))


def test_without_being_asked_for_nothing_is_reranked_or_dropped_and_neighbours_are_joined() -> None:
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"})
    step = build_pipeline(given, Database(lambda deadline: connect(given, deadline)), Telemetry("ask")).refinement
    assert step.reranker is None
    assert (step.near_duplicate_share, step.max_per_document, step.candidates) == (0, 0, 0)
    assert step.reach == 1


def test_the_relevance_floor_is_that_of_the_settings() -> None:
    values = {"MIN_COSINE": "0.1", "MIN_COVERAGE": "0.2", "MIN_DOCUMENT_FIT": "0.7"}
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test"} | values)
    pipeline = build_pipeline(given, Database(lambda deadline: connect(given, deadline)), Telemetry("ask"))
    assert pipeline.floor == RelevanceFloor(min_cosine=0.1, min_coverage=0.2, min_fit=0.7)


def test_another_version_of_any_prompt_that_shapes_answers_finds_no_kept_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompts = {path.stem for path in (Path(composition.__file__).parent / "prompts").glob("*.txt")}
    assert set(SHAPING_PROMPTS) == prompts - {"rewrite-v1"}  # of a question, what it was rewritten to counts
    before = fingerprint()
    for name in SHAPING_PROMPTS:
        monkeypatch.setattr(
            composition, "SHAPING_PROMPTS", [f"{each}-next" if each == name else each for each in SHAPING_PROMPTS]
        )
        assert fingerprint() != before


def test_a_chat_model_reranks_that_was_named_or_else_the_one_that_answers() -> None:
    for variables, model in (({}, "gpt-4.1-mini"), ({"RERANK_MODEL": "gpt-4.1-nano"}, "gpt-4.1-nano")):
        made = reranker(RERANK="model", **variables)
        assert isinstance(made, ChatReranker)
        assert made.model == model


def test_there_are_no_limits_but_those_that_are_set() -> None:
    database = {"DATABASE_URL": "postgresql://nowhere.test"}
    assert not Limits.of(Settings.from_environment(database)).are_set
    names = ("BUDGET_CALLER_TOKENS", "BUDGET_CALLER_USD", "BUDGET_TENANT_TOKENS", "BUDGET_TENANT_USD")
    for number, name in enumerate(names):
        assert Limits.of(Settings.from_environment(database | {name: "7"})) == Limits(
            *(7 if place == number else 0 for place in range(4))
        )


def test_the_key_for_a_reranking_server_is_read_when_it_is_first_needed_and_again_if_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def read_secret(name: str, _: object = None) -> str:
        asked.append(name)
        if len(asked) == 1:
            raise SecretUnavailable("Secrets Manager did not answer")
        return "rr-1\n"

    monkeypatch.setattr(model_key, "read_secret", read_secret)
    made = reranker(
        RERANK="endpoint", RERANK_URL="http://127.0.0.1:9", RERANK_API_KEY_SECRET="arn:rerank", OPENAI_API_KEY="sk-1"
    )
    assert isinstance(made, EndpointReranker)
    assert asked == []
    with pytest.raises(SecretUnavailable):
        made.client()
    assert [made.client().api_key, made.client().api_key] == ["rr-1", "rr-1"]
    assert asked == ["arn:rerank", "arn:rerank"]


def test_the_twins_own_reranker_is_used_where_no_other_is_named() -> None:
    local = "http://127.0.0.1:9/v1"
    assert "RERANK_URL" not in model_settings({}, local)
    assert model_settings({"RERANK": "endpoint"}, local)["RERANK_URL"] == local
    named = model_settings({"RERANK": "endpoint", "RERANK_URL": "https://rerank.test"}, local)
    assert (named["RERANK_URL"], "RERANK_MODEL" in named) == ("https://rerank.test", False)


@pytest.fixture
def two_tenants(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AskPipeline, AskPipeline]]:
    """The pipelines of two tenants in one environment."""
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test", "BUDGET_TENANT_TOKENS": "7"})
    parts = (
        composition.database,
        composition.shared_parts,
        composition.ask_pipeline,
        composition.asking,
        composition.documents,
        composition.budgets,
    )
    monkeypatch.setattr(composition, "settings", lambda: given)
    for part in parts:
        part.cache_clear()
    yield composition.ask_pipeline("acme"), composition.ask_pipeline("globex")
    for part in parts:
        part.cache_clear()


def test_every_part_that_reads_or_writes_is_of_the_tenant_that_it_was_made_for(
    two_tenants: tuple[AskPipeline, AskPipeline],
) -> None:
    for pipeline, tenant in zip(two_tenants, ("acme", "globex"), strict=True):
        neighbours, cache = pipeline.refinement.neighbourhood, composition.asking(tenant).cache
        assert isinstance(neighbours, NeighbourTable)
        assert isinstance(cache, AnswerCache)
        others = [composition.documents(tenant).tenant, composition.budgets(tenant).tenant]
        assert [pipeline.retrieval.tenant, neighbours.tenant, cache.tenant, *others] == [tenant] * 5
        assert composition.asking(tenant).pipeline is pipeline


def test_tenants_share_the_connection_the_clients_and_the_circuits(
    two_tenants: tuple[AskPipeline, AskPipeline],
) -> None:
    acme, globex = two_tenants
    assert acme.answering is globex.answering
    assert acme.conversation is globex.conversation
    assert acme.retrieval.embedder_for is globex.retrieval.embedder_for
    assert acme.retrieval.kinds is globex.retrieval.kinds
    databases = {id(composition.documents(tenant).database) for tenant in ("acme", "globex")}
    assert databases == {id(composition.budgets("acme").database)}


@pytest.mark.usefixtures("two_tenants")
def test_an_environment_keeps_the_parts_of_so_many_tenants_and_no_more() -> None:
    first = composition.documents("acme")
    for number in range(TENANTS_KEPT):
        composition.documents(f"tenant-{number}")
    assert composition.documents.cache_info().currsize == TENANTS_KEPT
    assert composition.documents("acme") is not first
