"""Text, settings and code are held together: what one of them says, the others must."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ask.problems import PROBLEMS
from authorize.settings import TokenSettings
from bucketwise.models import FailureReason
from bucketwise.settings import Settings
from bucketwise.telemetry import Metric
from local.formats import formats_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 250

# package: the first-party packages that it may import
MAY_IMPORT = {
    "layers/bucketwise/bucketwise": {"bucketwise"},
    "functions/ingest": {"bucketwise", "ingest"},
    "functions/ask": {"bucketwise", "ask"},
    "functions/migrate": {"bucketwise", "migrate"},
    "functions/authorize": {"bucketwise", "authorize"},
    "local/model_server": {"local"},
    "local/storage": {"local"},
    "local/estimate": {"bucketwise", "ingest", "local"},  # what ingest would make of a file, only its parsers know
    "local/formats": {"ingest", "local"},
    "local": {"bucketwise", "local"},
    "bench": {"bucketwise", "ingest", "ask", "local", "bench"},
    "examples": {"examples"},
}
FIRST_PARTY = {"bucketwise", "ingest", "ask", "migrate", "authorize", "local", "bench", "examples", "tests"}
# What a module of the shared layer, or of a function, may build on: never on what is built on it.
ORDER = {
    "bucketwise": ["models", "marks", "errors", "callers", "settings", "prices", "spending", "deadline", "addresses",
                   "startup",
                   "snapstart", "aws_clients", "secrets_manager", "iam_token", "ingest_queue", "roots",
                   "connection", "migrations", "server_version", "database", "index_kind", "circuit", "model_network",
                   "model_key", "model_calls", "telemetry", "embedding",
                   "stop_words", "analysis", "keyword_terms", "search"],
    "ingest": ["receipts", "sidecar", "events", "tenants", "withheld", "bucket", "context", "terms", "language",
               "tokens", "parsing", "sandbox", "chunking", "fingerprint", "protocol",
               "vectors", "swap", "index", "strays", "postings", "embedding_stage", "scratch", "spool", "pipeline",
               "postponement", "tags", "differences", "listing", "upkeep", "reconcile", "inventory", "collection",
               "cached_answers", "composition", "handler", "reconcile_composition", "reconcile_handler",
               "embedding_sets", "reindex", "reindex_handler"],
    "ask": ["documents", "document_schemas", "filters", "schemas", "problems", "contract", "prompt", "replies",
            "generation", "rewriting", "citations", "cleaning", "support", "answering", "fingerprint", "answer_cache",
            "searching", "retrieval", "floor", "rerank", "selection", "neighbours", "refinement", "pipeline",
            "responses", "asking", "explanation", "caller", "estimate", "budgets", "composition", "routes", "handler"],
    "authorize": ["settings", "fetching", "keys", "tokens", "policy", "handler"],
}  # fmt: skip


def python_files() -> Iterator[Path]:
    folders = ("functions", "layers", "local", "bench", "examples", "tests")
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if not {".aws-sam", ".venv"} & set(path.parts))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the README, without its head; backticks dropped."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.mark.parametrize("path", list(python_files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_short_enough_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may_build_on(package: str) -> None:
    wrong = {
        (path.name, module)
        for path in python_files()
        if path.is_relative_to(ROOT / package)
        and not any(path.is_relative_to(ROOT / other) for other in MAY_IMPORT if other.startswith(f"{package}/"))
        for module in imports(path)
        if (top := module.partition(".")[0]) in FIRST_PARTY and top not in MAY_IMPORT[package]
    }
    assert wrong == set()


@pytest.mark.parametrize("package", ORDER)
def test_imports_of_a_package_point_one_way(package: str) -> None:
    rank = {name: number for number, name in enumerate(ORDER[package])}
    folder = next(ROOT / path for path in MAY_IMPORT if path.endswith(package))
    wrong = {
        (path.stem, module)
        for path in folder.glob("*.py")
        for module in imports(path)
        if module.startswith(f"{package}.") and rank.get(module.split(".")[1], 0) >= rank.get(path.stem, len(rank))
    }
    assert wrong == set()


def test_only_a_handlers_edge_catches_everything() -> None:
    wide = re.compile(r"except (Base)?Exception\b|except:")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if path != Path(__file__) and wide.search(path.read_text(encoding="utf-8"))
    }
    allowed = {"functions/ask/handler.py", "functions/migrate/handler.py", "functions/ingest/sandbox/server.py"}
    cleanup = {path for path in found if _only_cleans_up(ROOT / path)}
    assert found - cleanup == allowed


def test_clients_of_aws_are_made_in_one_place_where_each_is_bounded_in_time() -> None:
    deployed = (path for path in python_files() if path.relative_to(ROOT).parts[0] in {"functions", "layers"})
    made = {path.name for path in deployed for module in imports(path) if module.partition(".")[0] == "boto3"}
    assert made == {"aws_clients.py"}


def _only_cleans_up(path: Path) -> bool:
    """Whether every handler for everything raises again."""
    handlers = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    return all(isinstance(node.body[-1], ast.Raise) for node in handlers)


def test_the_readme_lists_every_setting_with_its_default() -> None:
    def shown(default: object) -> str:
        return "unset" if str(default) == "" else str(default)

    fields = (Settings.model_fields | TokenSettings.model_fields).items()
    expected = {name.upper(): "required" if field.is_required() else shown(field.default) for name, field in fields}
    assert {row[0]: row[1] for row in table("Settings")} == expected


def test_the_readme_lists_every_metric_with_its_unit() -> None:
    assert {row[0]: row[1] for row in table("Metrics")} == {m.value[0]: m.value[1].value for m in Metric}


def test_the_readme_lists_every_reason_of_a_failure() -> None:
    assert {row[0] for row in table("Documents")} == {reason.value for reason in FailureReason}


def test_the_readme_has_the_table_of_formats_that_the_code_prints() -> None:
    assert README.split("\n## Formats\n", 1)[1].startswith(f"\n{formats_table()}\n\n")


def test_the_readme_lists_every_problem_with_its_status() -> None:
    section = README.split("type `urn:bucketwise:problem:`", 1)[1].split("\n## ", 1)[0]
    listed = {
        (name, int(row.split("|")[1]))
        for row in section.splitlines()
        if row.startswith("| ") and row[2].isdigit()
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[2])
    }
    assert listed >= {(problem.name, problem.status.value) for problem in PROBLEMS.values()}


def test_the_makefile_has_the_commands_that_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_the_files_that_the_docs_name_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|bench|functions|local|layers)/[\w/.-]+\.\w+)`", text))
    assert [path for path in named if not (ROOT / path).exists()] == []
    commands = set(re.findall(r"python -m ((?:bench|local|tests)[.\w]*)", text))
    assert [each for each in commands if not (ROOT / f"{each.replace('.', '/')}.py").exists()] == []
