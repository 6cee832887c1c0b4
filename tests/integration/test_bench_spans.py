"""The benchmark of clauses in contracts, as a command, on two short ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.contracts import Contract, Contracts, Question
from bench.spans import Stretch, measures_of
from bench.spans_reference import PIECE_CHARACTERS, Reference, pieces_of
from bench.text_alignment import Letters
from local import ROOT
from tests.integration.contract_folder import CLAUSES, PARTIES, write_contracts


def test_it_prints_one_json_line_with_its_measures(tmp_path: Path) -> None:
    write_contracts(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "bench.spans", str(tmp_path)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = done.stdout.splitlines()
    measured = json.loads(line)
    # Of five questions about each contract, one has an answer without letters, and one an answer that its PDF has not.
    assert (measured["contracts"], measured["questions"], measured["attainable"]) == (2, 8, 0.75)
    assert (measured["recall@10"], measured["right_contract_first"]) == (0.75, 1.0)
    assert 0 < measured["characters@5"] < measured["characters@10"]
    assert measured["bm25"]["recall@10"] == 1.0  # it is given the text
    assert "asked 8/8" in done.stderr


def test_the_first_contracts_come_with_their_questions(tmp_path: Path) -> None:
    write_contracts(tmp_path)
    first, both = Contracts.read(tmp_path, 1), Contracts.read(tmp_path)
    assert [len(each.contracts) for each in (first, both)] == [1, 2]
    assert [len(each.answerable) for each in (first, both)] == [5, 10]
    assert [len(each.unanswerable) for each in (first, both)] == [1, 2]
    with first.open("Alder Timber.pdf") as there, first.open("Birch Marine.pdf") as not_there:
        assert there is not None
        assert there.stream.read(5) == b"%PDF-"
        assert not_there is None


def test_recall_is_the_share_of_the_letters_that_answer(tmp_path: Path) -> None:
    one, two = CLAUSES["Insurance"], CLAUSES["Warranty"]
    text = tmp_path / "a.txt"
    text.write_text(f"{one} {two}", encoding="utf-8")
    contracts = Contracts({"a": Contract("a", tmp_path / "a.pdf", text)}, (), ())
    letters = Letters.of(f"{one} {two}")
    half = frozenset(letters.range_of(0, len(one)))
    questions = [Question("both", "a", frozenset(range(len(letters.squeezed)))), Question("one", "a", half)]
    ranked = [
        Stretch("b", two),
        Stretch("a", one),
        Stretch("a", one),
        *[Stretch("a", "nothing")] * 3,
        Stretch("a", two),
    ]
    measured = measures_of(lambda _, limit: ranked[:limit], contracts, questions)
    share = len(half) / len(letters.squeezed)
    assert measured["recall@5"] == round((share + 1) / 2, 4)
    assert (measured["recall@10"], measured["right_contract_first"]) == (1.0, 0.0)
    assert measured["characters@5"] == 2 * len(one) + len(two) + 2 * len("nothing")
    elsewhere = measures_of(lambda _, limit: [Stretch("b", one)][:limit], contracts, questions)
    assert (elsewhere["recall@5"], elsewhere["recall@10"]) == (0.0, 0.0)


def test_the_reference_finds_pieces_by_their_words_and_by_their_files_name() -> None:
    reference = Reference.of({f"{party}.pdf": text for party, text in zip(PARTIES, CLAUSES.values(), strict=False)})
    assert reference.search("Which laws govern?", limit=5) == [("Birch Marine.pdf", CLAUSES["Governing Law"])]
    assert reference.search("alder", limit=1) == [("Alder Timber.pdf", CLAUSES["Term"])]
    assert reference.search("zymurgy", limit=5) == []


def test_the_reference_ranks_by_how_often_a_word_stands_in_how_much() -> None:
    rare, often = "An audit of the books costs a crown.", "Audit on audit, an audit a day."
    for texts in ({"a": rare, "b": often}, {"a": often, "b": rare}):
        assert [piece for _, piece in Reference.of(texts).search("audit", limit=2)] == [often, rare]


def test_pieces_are_the_whole_text_cut_at_white_space() -> None:
    text = "word " * 500 + "x" * 2 * PIECE_CHARACTERS
    pieces = list(pieces_of(text))
    assert "".join(pieces) == text
    assert max(map(len, pieces)) == PIECE_CHARACTERS
    assert pieces[0].endswith("word ")
