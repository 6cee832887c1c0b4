"""The benchmark of the parsers, on the example documents and on files that cannot be read."""

from pathlib import Path

import pytest

from bench.parsing import measure, token_f1

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"


def test_the_examples_are_all_read() -> None:
    line = measure(EXAMPLES)
    assert line["indexed"] == line["files"] == line["of_known_kinds"]
    assert (line["crashes"], line["hangs"], line["indexed_empty"]) == (0, 0, 0)


def test_states_and_agreement_with_references_are_told_by_kind(tmp_path: Path) -> None:
    for folder in ("sources", "groundtruth"):
        (tmp_path / folder).mkdir()
    (tmp_path / "sources" / "a.txt").write_text("one two three four", encoding="utf-8")
    (tmp_path / "groundtruth" / "a.txt.md").write_text("One, two: five", encoding="utf-8")
    (tmp_path / "sources" / "b.bin").write_bytes(b"what is this")
    line = measure(tmp_path)
    assert line["states"] == {"indexed": 2, "unsupported": 1}
    assert line["f1_median"] == {".txt": 0.571}


@pytest.mark.parametrize(("text", "reference", "f1"), [("a a b", "a b b", 2 / 3), ("", "", 1.0), ("a", "", 0.0)])
def test_tokens_count_with_repetition(text: str, reference: str, f1: float) -> None:
    assert token_f1(text, reference) == pytest.approx(f1)
