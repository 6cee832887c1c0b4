"""JSON, JSON Lines and Jupyter notebooks."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bucketwise.models import FailureReason, Place
from ingest.parsing.document import Block
from ingest.parsing.json_text import MAX_DEPTH, parse_json, parse_json_lines
from ingest.parsing.notebook import parse_notebook
from tests.unit.parsed_parts import Parser, read, refusal

PIECE = 1 << 13  # characters that are read at once
SETTINGS = {
    "name": "ferry",
    "server": {"host": "a.example", "ports": [80, 443], "debug": False, "proxy": None},
    "routes": [{"to": "Ulm", "price": 1.10}, {"to": "Kiel"}],
}


def test_every_value_stands_behind_the_path_to_it() -> None:
    reading = read(parse_json, json.dumps(SETTINGS))
    assert reading.blocks == (
        Block("name: ferry", Place()),
        Block("server.host: a.example\nserver.ports: 80, 443\nserver.debug: false", Place(heading=("server",))),
        Block("routes[1].to: Ulm\nroutes[1].price: 1.1\n\nroutes[2].to: Kiel", Place(heading=("routes",), rows=(1, 2))),
    )


def test_numbers_stay_as_they_are_written() -> None:
    assert read(parse_json, f'{{"a": 1.10, "b": 1e400, "c": {"9" * 5000}}}').text == "a: 1.10\nb: 1e400"


def test_the_records_of_an_array_are_grouped_with_their_numbers() -> None:
    reading = read(parse_json, json.dumps([{"id": n, "note": "of some length " * 5} for n in range(1, 101)]))
    spans = [block.place.rows for block in reading.blocks if block.place.rows]
    assert len(spans) > 5
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])]
    assert spans[-1][1] == 100
    assert reading.text.count("id: ") == 100


# In a text this short, one control character is so many that it is taken for binary.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(
    values=st.lists(st.recursive(TEXTS | st.floats() | st.none(), lambda inner: st.lists(inner), max_leaves=5)),
    cut=st.integers(min_value=0, max_value=200),
)
def test_an_array_is_the_same_however_its_text_is_cut(values: list[object], cut: int) -> None:
    content = json.dumps(values, ensure_ascii=False).encode()
    assume(PIECE > len(content) >= cut)
    assert read(parse_json, b" " * (PIECE - cut) + content).blocks == read(parse_json, content).blocks


def test_data_in_base64_is_left_out_and_long_text_is_not() -> None:
    content = json.dumps({"picture": "QUJD" * 2000, "story": "once upon a time " * 500, "物語": "昔" * 5000})
    text = read(parse_json, content).text
    assert "QUJD" not in text
    assert "once upon" in text
    assert "昔昔" in text


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "[" * (MAX_DEPTH + 5) + "]" * (MAX_DEPTH + 5)])
@pytest.mark.parametrize("parser", [parse_json, parse_json_lines, parse_notebook])
def test_json_nested_without_bounds_is_refused(parser: Parser, content: str) -> None:
    assert refusal(parser, content) in {FailureReason.TOO_COMPLEX, FailureReason.CORRUPT}


@pytest.mark.parametrize("content", ["", "{", '{"a": }', "[1, 2", "[1, 2] 3", "[1,]", "no", "{'a': 1}"])
def test_broken_json_is_refused(content: str) -> None:
    assert refusal(parse_json, content) is FailureReason.CORRUPT


def test_lines_are_records_and_a_broken_one_is_named() -> None:
    reading = read(parse_json_lines, '{"a": 1}\n\n{"a": \n{"a": {"b": [2, 3]}}\n')
    assert reading.blocks == (Block("a: 1\n\na.b: 2, 3", Place(rows=(1, 4))),)
    assert reading.document.skipped == ["line 3: it is no JSON"]


def test_lines_of_which_none_is_json_are_refused() -> None:
    assert refusal(parse_json_lines, "a\nb\n") is FailureReason.CORRUPT


NOTEBOOK = {
    "metadata": {"language_info": {"name": "python"}},
    "cells": [
        {"cell_type": "markdown", "source": ["# Tides\n", "\n", "How high they are. ![x](data:image/png;base64,QUJD)"]},
        {
            "cell_type": "code",
            "source": "print(tide) # ```",
            "outputs": [
                {"output_type": "stream", "text": ["4.2\n", "metres"]},
                {"output_type": "display_data", "data": {"image/png": "QUJD", "text/plain": ["<Figure>"]}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'moon'", "traceback": ["..."]},
            ],
        },
        {"cell_type": "markdown", "source": "## Springs\nTwice a month."},
    ],
}


def test_a_notebook_s_cells_become_markdown() -> None:
    reading = read(parse_notebook, json.dumps(NOTEBOOK))
    assert reading.document.title == "Tides"
    assert reading.headings == [("Tides",), ("Tides", "Springs")]
    assert "QUJD" not in reading.text
    assert reading.lines[2:6] == ["````python", "print(tide) # ```", "````", "```"]
    for output in ("4.2\nmetres", "<Figure>", "KeyError: 'moon'"):
        assert f"```\n{output}\n```" in reading.text


@pytest.mark.parametrize("content", ["[]", "{}", '{"cells": 3}', '{"cells": ['])
def test_what_is_no_notebook_is_refused(content: str) -> None:
    assert refusal(parse_notebook, content) is FailureReason.CORRUPT


@pytest.mark.parametrize(
    "cell", ["null", "3", "{}", '{"cell_type": "code", "outputs": [null, {"data": []}], "source": null}']
)
def test_a_notebook_with_odd_cells_keeps_the_others(cell: str) -> None:
    assert read(parse_notebook, f'{{"cells": [{cell}, {{"cell_type": "markdown", "source": "kept"}}]}}').lines == [
        "kept"
    ]
