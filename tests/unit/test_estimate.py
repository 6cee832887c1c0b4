"""What indexing a folder would cost."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.parsing import parsed_here
from local import ROOT
from local.estimate.__main__ import main
from local.estimate.counting import Estimate, Estimator
from local.estimate.sources import FolderSource
from local.function_settings import model_settings, with_defaults

EXAMPLES = ROOT / "examples" / "documents"
TEXT = "# Lanterns\n\nLanterns are lit at dusk.\n"


def estimate_of(folder: Path, environment: Mapping[str, str] | None = None) -> Estimate:
    estimator = Estimator(with_defaults(model_settings(environment or {}, None)), parsed_here)
    source = FolderSource(folder)
    for key in source.keys():  # noqa: SIM118  # it is no dictionary
        estimator.take(source, key)
    return estimator.estimate


def reasons(estimate: Estimate) -> dict[str, str]:
    return {each.key: each.reason for each in estimate.rejected}


def test_the_examples_would_all_be_indexed_and_each_text_paid_for_once() -> None:
    estimate = estimate_of(EXAMPLES)
    assert estimate.outcomes == {"indexed": sum(path.is_file() for path in EXAMPLES.rglob("*"))}
    assert estimate.bytes == sum(path.stat().st_size for path in EXAMPLES.rglob("*") if path.is_file())
    assert 0 < estimate.texts <= estimate.chunks
    assert 0 < estimate.embedding_tokens <= estimate.tokens
    assert estimate.usd == pytest.approx(estimate.embedding_tokens * 0.02 / 1_000_000)


def test_a_copy_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TEXT, encoding="utf-8")
    alone = estimate_of(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "copy.md").write_text(TEXT, encoding="utf-8")
    both = estimate_of(tmp_path)
    assert (both.indexed, both.chunks, both.tokens) == (2, 2 * alone.chunks, 2 * alone.tokens)
    assert (both.texts, both.embedding_tokens) == (alone.texts, alone.embedding_tokens)


def test_a_copy_in_another_tenants_folder_is_embedded_again(tmp_path: Path) -> None:
    for folder in ("acme", "acme/2024", "bolt", "bolt "):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.md").write_text(TEXT, encoding="utf-8")
    one, each = estimate_of(tmp_path), estimate_of(tmp_path, {"TENANT_FOLDERS": "true"})
    assert (one.indexed, each.indexed) == (4, 3)
    assert (each.texts, each.embedding_tokens) == (2 * one.texts, 2 * one.embedding_tokens)
    assert reasons(each) == {"bolt /a.md": "bad_folder"}


def test_what_would_fail_is_listed_with_its_reason_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(TEXT, encoding="utf-8")
    alone = estimate_of(tmp_path)
    (tmp_path / "blank.txt").write_text(" \n", encoding="utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    (tmp_path / "picture.xyz").write_bytes(bytes(range(256)))
    (tmp_path / "large.txt").write_text("lantern" + " " * 7000, encoding="utf-8")
    (tmp_path / "long.txt").write_text("a b c d " * 200, encoding="utf-8")
    estimate = estimate_of(tmp_path, {"MAX_DOCUMENT_BYTES": "7000", "MAX_DOCUMENT_TOKENS": "500"})
    assert reasons(estimate) == {
        "blank.txt": "empty",
        "broken.pdf": "corrupt",
        "picture.xyz": "unsupported",
        "large.txt": "too_large",
        "long.txt": "too_large",
    }
    assert estimate.outcomes == {"indexed": 1, "too_large": 2, "empty": 1, "corrupt": 1, "unsupported": 1}
    assert all(each.hint for each in estimate.rejected)
    assert (estimate.chunks, estimate.embedding_tokens) == (alone.chunks, alone.embedding_tokens)


@pytest.mark.parametrize(("key", "why"), [("gone.md", "No such file"), ("folder", "directory"), ("\udcff.md", "UTF-8")])
def test_a_file_that_cannot_be_read_is_listed_and_does_not_end_the_estimate(key: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "good.md").write_text(TEXT, encoding="utf-8")
    estimator, source = Estimator(with_defaults({}), parsed_here), FolderSource(tmp_path)
    for each in (key, "good.md"):
        estimator.take(source, each)
    assert estimator.estimate.outcomes == {"indexed": 1, "unreachable": 1}
    assert why in estimator.estimate.rejected[0].hint


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in ("a.md", ".hidden.md", ".git/config.txt"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    assert list(FolderSource(tmp_path).keys()) == ["a.md"]


def test_chunks_are_cut_as_the_environment_says() -> None:
    assert estimate_of(EXAMPLES, {"CHUNK_TOKENS": "100"}).chunks > estimate_of(EXAMPLES).chunks


def test_a_model_without_a_listed_price_has_tokens_and_no_dollars() -> None:
    estimate = estimate_of(EXAMPLES, {"EMBEDDING_MODEL": "wordllama-256"})
    assert estimate.usd is None
    assert estimate.embedding_tokens > 0


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMBEDDING_MODEL", "CHUNK_TOKENS", "DATABASE_URL", "DATABASE_HOST", "PREFIX"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_settings")
def test_json_holds_the_whole_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "blank.txt").write_text("", encoding="utf-8")
    assert main(["--dir", str(tmp_path), "--json", "--tokens-per-minute", "60"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["outcomes"] == {"indexed": 1, "empty": 1}
    assert shown["embedding_model"] == "text-embedding-3-small"
    assert shown["usd"] == pytest.approx(shown["embedding_tokens"] * 0.02 / 1_000_000)
    assert shown["embedding_seconds"] == shown["embedding_tokens"] > 0
    assert [each["key"] for each in shown["rejected"]] == ["blank.txt"]


@pytest.mark.usefixtures("no_settings")
def test_the_table_names_files_dollars_and_what_would_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "[red]blank.txt").write_text("", encoding="utf-8")
    assert main(["--dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "files: indexed" in shown
    assert "cost with text-embedding-3-small" in shown
    assert "$0.000000" in shown
    assert "[red]blank.txt: empty. The file holds no text." in shown


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dir", str(tmp_path / "nothing")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_wrong_settings_are_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHUNK_TOKENS", "many")
    assert main(["--dir", str(EXAMPLES)]) == 1
    assert "CHUNK_TOKENS" in capsys.readouterr().err
