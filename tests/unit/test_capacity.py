"""What a stack carries: the simulation against queueing theory, the arithmetic, and the page against the command."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from bench.capacity import AS_DEPLOYED, main, report
from bench.capacity_bounds import (
    BATCH_TOKENS,
    Settings,
    chunks_in_memory,
    connections,
    documents_a_day,
    questions_a_second,
    saturation,
)
from bench.capacity_growth import grown
from bench.capacity_limits import LIMITS, PRICES, limit
from bench.capacity_queue import erlang_b
from bench.capacity_steps import RECORDED, Steps, read_steps
from bench.capacity_tables import tables
from bucketwise.prices import price_table
from bucketwise.settings import Settings as FunctionSettings
from tests.unit.template_model import ROOT, of_type, parameter, properties

PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
STEPS, _ = read_steps()


def bound(bounds: list[Any], what: str) -> float:
    [found] = [each.value for each in bounds if each.what == what]
    return float(found)


@lru_cache(maxsize=1)
def computed() -> Mapping[str, Any]:
    return report(json.loads(RECORDED.read_text(encoding="utf-8")))


def test_saturation_is_where_erlangs_formula_refuses_one_in_a_hundred() -> None:
    """As deployed, the database is no bottleneck: what is left is a loss system."""
    found = saturation(AS_DEPLOYED, STEPS)
    seconds = AS_DEPLOYED.ask_concurrency / bound(questions_a_second(AS_DEPLOYED, STEPS), "AskConcurrency")
    assert erlang_b(AS_DEPLOYED.ask_concurrency, found * seconds) == pytest.approx(0.01, abs=0.005)


def test_with_too_few_processors_the_database_saturates_before_the_environments_do() -> None:
    few = replace(AS_DEPLOYED, acu=4, ask_concurrency=200)
    assert saturation(few, STEPS) < 1.05 * bound(questions_a_second(few, STEPS), "database, processors")


# ---------------------------------------------------------------- the arithmetic
def test_what_a_stack_carries_as_deployed_by_hand() -> None:
    chunks = 0.05 * 1623
    tokens = chunks * 1e6 / 1623 / 4
    documents = documents_a_day(AS_DEPLOYED, STEPS)
    assert bound(documents, "embedding model, tokens") == pytest.approx(1e6 * 1440 / tokens)
    assert bound(documents, "embedding model, requests") == 3000 * 1440
    assert bound(documents, "IngestMaximumConcurrency") == pytest.approx(5 * 86400 / (0.15 + chunks * 0.0027))
    assert bound(documents, "database, processors") == pytest.approx(1 * 86400 / (chunks * 0.0027 * 0.59))
    questions = questions_a_second(AS_DEPLOYED, STEPS)
    assert bound(questions, "answering model, tokens") == pytest.approx(200_000 / 60 / 3200)
    assert bound(questions, "API Gateway") == 50


def test_the_least_comes_first() -> None:
    for bounds in (documents_a_day(AS_DEPLOYED, STEPS), questions_a_second(AS_DEPLOYED, STEPS)):
        assert [each.value for each in bounds] == sorted(each.value for each in bounds)


def test_a_large_document_takes_several_embedding_requests() -> None:
    large = replace(AS_DEPLOYED, document_kb=1000)
    requests = math.ceil(1e6 / 4 / BATCH_TOKENS)
    assert bound(documents_a_day(large, STEPS), "embedding model, requests") == 3000 * 1440 / requests


def test_questions_from_the_cache_ask_no_model_and_hold_an_environment_briefly() -> None:
    half = replace(AS_DEPLOYED, cached_share=0.5)
    for what in ("answering model, tokens", "database, processors"):
        doubled = 2 * bound(questions_a_second(AS_DEPLOYED, STEPS), what)
        assert bound(questions_a_second(half, STEPS), what) == pytest.approx(doubled)
    more = bound(questions_a_second(half, STEPS), "AskConcurrency")
    assert more == pytest.approx(2 * bound(questions_a_second(AS_DEPLOYED, STEPS), "AskConcurrency"), rel=0.01)


def test_search_takes_what_was_measured_at_both_sizes_and_longer_beyond() -> None:
    assert STEPS.search_ms(20_000) == pytest.approx((18.2, 26.3))
    assert STEPS.search_ms(200_000) == pytest.approx((36.1, 46.0))
    p50, p95 = STEPS.search_ms(2_000_000)
    assert (p50, p95) == pytest.approx((36.1**2 / 18.2, 36.1 / 18.2 * 46.0))


def test_memory_holds_the_chunks_of_which_the_hot_part_fits() -> None:
    assert chunks_in_memory(4, STEPS) * (500 + 4450 + 260) == pytest.approx(4 * 2**30)


def test_a_cluster_that_has_all_units_is_followed_by_another() -> None:
    one, two = (grown(chunks, STEPS, AS_DEPLOYED) for chunks in (50_000_000, 100_000_000))
    assert (one.clusters, two.clusters) == (1, 2)
    assert two.chunks_per_cluster == one.chunks == 50_000_000
    assert two.search_p50_ms == one.search_p50_ms
    assert one.hot_gib == pytest.approx(50e6 * STEPS.hot_bytes / 2**30)
    assert one.acu - 0.5 < one.hot_gib <= one.acu  # two GiB each, of which half are for pages
    assert two.days_to_fill == pytest.approx(100e6 * STEPS.tokens_per_chunk / 1e6 / 1440)  # all share one account
    assert one.stored_gb == pytest.approx(50e6 * (500 + 4450 + 260 + 4100 + 1845) / 1e9)


@pytest.mark.parametrize("broken", [{"search_p50_ms": {"value": 0}}, {"more": {"value": 1}}, {"search_p50_ms": None}])
def test_steps_that_lack_something_are_refused(broken: dict[str, Any]) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["steps"] | broken
    with pytest.raises(ValueError, match=r"search_p50_ms|more"):
        Steps.of({name: value for name, value in recorded.items() if value is not None})


# ---------------------------------------------------------------- what it rests on
def test_the_templates_own_limits_are_the_templates() -> None:
    [stage] = of_type("AWS::ApiGateway::Stage").values()
    [method] = stage["MethodSettings"]
    assert (
        limit("API Gateway, requests a second of this API") == method["ThrottlingRateLimit"] == Settings("").gateway_rps
    )
    assert limit("AskConcurrency at most") == parameter("AskConcurrency")["MaxValue"]
    assert limit("IngestMaximumConcurrency at most") == parameter("IngestMaximumConcurrency")["MaxValue"]
    most = int(properties("DatabaseParameters")["Parameters"]["max_connections"])
    assert limit("PostgreSQL, connections") == most
    greatest = replace(AS_DEPLOYED, ask_concurrency=200, ingest_concurrency=75)
    assert connections(greatest) == round(0.7 * most)


def test_the_first_stack_is_the_templates_defaults() -> None:
    assert AS_DEPLOYED.ask_concurrency == parameter("AskConcurrency")["Default"]
    assert AS_DEPLOYED.ingest_concurrency == parameter("IngestMaximumConcurrency")["Default"]
    assert AS_DEPLOYED.acu == parameter("DatabaseMaxCapacity")["Default"]
    assert FunctionSettings.model_fields["embedding_batch_tokens"].default == BATCH_TOKENS


def test_the_price_of_embedding_is_that_of_the_price_table() -> None:
    assert price_table().models["text-embedding-3-small"] == (PRICES["embedding_million_tokens"], 0.0)


def test_every_limit_has_a_source() -> None:
    assert all(each.source and each.value > 0 for each in LIMITS.values())


def test_recorded_steps_stand_on_the_pages_that_they_name() -> None:
    page = ""
    for name, step in json.loads(RECORDED.read_text(encoding="utf-8"))["steps"].items():
        if found := re.match(r"docs/\w+\.md", step["source"]):
            page = (ROOT / found[0]).read_text(encoding="utf-8")
        elif step["source"].startswith("python"):
            page = ""  # what that command printed
        if page and name != "hnsw_bytes":  # which is a quotient
            spellings = {
                f"{step['value']:,}",
                f"{step['value']:g}",
                f"{step['value']:g}".removeprefix("0"),
                "46.0",
                "5.0",
            }
            assert any(re.search(rf"(?<![\d.]){re.escape(each)}(?![\d])", page) for each in spellings), name


# ---------------------------------------------------------------- the page and the command
@pytest.mark.parametrize("name", list(tables(computed())))
def test_the_page_has_the_tables_that_the_command_prints(name: str) -> None:
    assert tables(computed())[name] in PAGE


def test_the_page_has_no_other_tables_and_no_figures_beside_them() -> None:
    prose = PAGE
    for table in tables(computed()).values():
        prose = prose.replace(table, "")
    prose = re.sub(r"```.*?```|`[^`]*`", "", prose, flags=re.DOTALL)
    assert "|" not in prose
    figures = re.findall(r"(?<![\w-])\d[\d.,]*", re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE))
    assert [figure.rstrip(".,") for figure in figures] == ["409"]  # a status


def test_the_command_prints_one_line_of_json_or_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--ask-concurrency", "10", "--acu", "2"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    [stack] = json.loads(line)["stacks"]
    assert (stack["settings"]["name"], stack["settings"]["ask_concurrency"], stack["settings"]["acu"]) == (
        "as given", 10, 2,
    )  # fmt: skip
    assert main(["--ask-concurrency", "10", "--tables"]) == 0
    assert "| as given | " in capsys.readouterr().out


def test_steps_of_another_machine_can_be_computed_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    recorded["steps"]["search_p50_ms"]["value"] = 9.1
    (tmp_path / "steps.json").write_text(json.dumps(recorded), encoding="utf-8")
    main(["--steps", str(tmp_path / "steps.json"), "--acu", "4"])
    assert json.loads(capsys.readouterr().out)["steps"]["search_p50_ms"]["value"] == 9.1
