"""The benchmark of the chunker, as a command, on two short texts, and its measures and splitters by hand."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.chunking import differences
from bench.chunking_spans import Scores, Span, score
from bench.chunking_splitters import fixed, own, recursive
from ingest.chunking import Chunker
from ingest.tokens import count_tokens
from local import ROOT

OTTERS = "# Otters\n\n" + " ".join(
    f"Otter {number} holds the hand of otter {number + 1} in its sleep." for number in range(60)
)
BREAD = "# Bread\n\n" + " ".join(f"Loaf {number} needs flour, water, salt and {number} hours." for number in range(60))


def spans(document: str, *ranges: tuple[int, int]) -> list[Span]:
    return [Span(document, start, end) for start, end in ranges]


def write_corpora(folder: Path, *, texts: dict[str, str], questions: dict[str, tuple[str, str]]) -> None:
    (folder / "corpora").mkdir()
    for name, text in texts.items():
        (folder / "corpora" / f"{name}.md").write_text(text, encoding="utf-8")
    with (folder / "questions_df.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "references", "corpus_id"])
        for question, (name, answer) in questions.items():
            start = texts[name].index(answer)
            reference = {"content": answer, "start_index": start, "end_index": start + len(answer)}
            rows.writerow([question, json.dumps([reference]), name])


def test_it_prints_a_json_line_for_each_size(tmp_path: Path) -> None:
    write_corpora(
        tmp_path,
        texts={"otters": OTTERS, "bread": BREAD},
        questions={
            "Who holds the hand of otter 8?": ("otters", "Otter 7 holds the hand of otter 8 in its sleep."),
            "How many hours does loaf 31 need?": ("bread", "Loaf 31 needs flour, water, salt and 31 hours."),
        },
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench.chunking", str(tmp_path), "--sizes", "2000/0", "100/20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    whole, small = map(json.loads, done.stdout.splitlines())
    assert (whole["chunks"], whole["recall"], whole["questions"]) == (2, 1.0, 2)
    answer = len("Otter 7 holds the hand of otter 8 in its sleep.")
    both = len(OTTERS) + len(BREAD)
    assert whole["precision"] == pytest.approx(answer / both, abs=0.001)
    assert whole["iou"] == whole["precision"]
    assert whole["precision_omega"] == pytest.approx(answer / (both / 2), abs=0.001)
    assert (small["chunk_tokens"], small["chunk_overlap_tokens"]) == (100, 20)
    assert small["precision_omega"] > whole["precision_omega"]
    assert small["recursive_200_0"] == whole["recursive_200_0"]
    difference = small["minus_recursive"]["iou"]
    assert difference["mean"] == pytest.approx(small["iou"] - small["recursive_200_0"]["iou"], abs=0.0002)


def test_measures_count_an_answer_once_and_what_was_retrieved_each_time() -> None:
    chunks = spans("a", (0, 100), (50, 150), (150, 300), (300, 400))
    references = spans("a", (90, 110), (290, 310))
    # found: 90-110, twice in part; missing: 290-310; held: all 40 characters, by 0-400.
    assert score([*chunks[:2], Span("b", 90, 110)], chunks, references) == Scores(
        recall=20 / 40, precision=20 / 220, precision_omega=40 / 400, iou=20 / (220 + 20)
    )


def test_a_chunk_that_only_touches_an_answer_holds_nothing_of_it() -> None:
    chunks = spans("a", (0, 90), (90, 110), (110, 200))
    assert score(chunks, chunks, spans("a", (90, 110))).precision_omega == 1


def test_an_answer_that_no_chunk_holds_lowers_the_best_possible_precision() -> None:
    chunks = spans("a", (0, 10))
    assert score(chunks, chunks, spans("a", (0, 10), (20, 30))) == Scores(
        recall=0.5, precision=1.0, precision_omega=0.5, iou=0.5
    )


def test_differences_come_with_an_interval_and_a_p() -> None:
    values = np.tile(np.array([[0.1, -0.1, 0.0, 0.2], [0.1, 0.1, 0.0, -0.2]]), (50, 1))
    found = differences(values)
    assert found["recall"] == {"mean": 0.1, "interval_95": [0.1, 0.1], "p": 0.0}
    assert found["precision"]["mean"] == 0
    assert found["precision"]["p"] not in {0.0, found["recall"]["p"]}
    assert found["precision_omega"] == {"mean": 0.0, "interval_95": [0.0, 0.0], "p": 1.0}


def test_own_chunks_stand_in_the_file_where_their_text_does(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    raw = "\ufeff# A\x01B\r\n\r\n" + "größe \x00und 👩 mehr.\r\n" * 40
    path.write_bytes(raw.encode())
    text = raw.replace("\r\n", "\n")
    found = own(Chunker(50, 0))(path)
    assert len(found) > 3
    assert (found[0].start, text[found[0].start : found[0].start + 3]) == (1, "# A")
    assert all(text[chunk.start : chunk.end].startswith(("#", "größe")) for chunk in found)
    assert all(text[chunk.start : chunk.end].endswith("mehr.") for chunk in found)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("größe".encode("utf-16"))
    with pytest.raises(ValueError, match="utf-8"):
        own(Chunker(50, 0))(path)


def test_the_recursive_splitter_cuts_before_separators_and_never_joins_what_it_split(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    long = "one two three. four five six. seven eight nine"
    path.write_text(f"a\n\nb\n\n{long}\n\nc", encoding="utf-8")
    found = [path.read_text()[chunk.start : chunk.end] for chunk in recursive(9)(path)]
    assert found == ["a\n\nb", "one two three. four five six", ". seven eight nine", "c"]


def test_the_fixed_splitter_fills_chunks_with_words(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(OTTERS, encoding="utf-8")
    found = [OTTERS[chunk.start : chunk.end] for chunk in fixed(50)(path)]
    assert "".join(found) == OTTERS
    assert all(45 < count_tokens(chunk) <= 50 for chunk in found[:-1])
