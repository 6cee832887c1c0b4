import pytest

from tests.unit.make_office import WORD, docx, paragraph, text_of

LEVELS = {
    "outline": [("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")],
    "bullets": [("bullet", "o"), ("bullet", "o")],
    "roman": [("upperRoman", "%1)"), ("lowerRoman", "%1.%2")],
    "silent": [("none", "")],
}


def numbering(*numbers: tuple[str, str, str]) -> str:
    """Of (id of a list, name in ``LEVELS``, XML of what it overrides)."""
    abstract = "".join(
        f'<w:abstractNum w:abstractNumId="{name}">'
        + "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{pattern}"/></w:lvl>'
            for n, (form, pattern) in enumerate(levels)
        )
        + "</w:abstractNum>"
        for name, levels in LEVELS.items()
    )
    lists = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="{name}"/>{override}</w:num>'
        for number, name, override in numbers
    )
    return f"<w:numbering {WORD}>{abstract}{lists}</w:numbering>"


def item(number: str, level: int, text: str = "x", more: str = "") -> str:
    return paragraph(text, f'{more}<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def listed(body: str, *numbers: tuple[str, str, str]) -> str:
    return text_of(docx(body, related={"n": ("numbering", "numbering")}, numbering=numbering(*numbers)))


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ((0, 1, 1, 2, 2, 0, 1), "1. x\n  1.1 x\n  1.2 x\n    (a) x\n    (b) x\n2. x\n  2.1 x"),
        ((1, 2), "  1.1 x\n    (a) x"),
    ],
)
def test_items_are_numbered_as_word_shows_them(levels: tuple[int, ...], text: str) -> None:
    assert listed("".join(item("1", level) for level in levels), ("1", "outline", "")) == text


def test_other_forms_of_numbers() -> None:
    body = item("1", 0) * 4 + item("1", 1) + item("2", 0) + item("2", 1) + item("3", 0, "plain")
    lists = (("1", "roman", ""), ("2", "bullets", ""), ("3", "silent", ""))
    assert listed(body, *lists) == "I) x\nII) x\nIII) x\nIV) x\n  IV.i x\n- x\n  - x\n\nplain"


def test_letters_are_repeated_after_the_last() -> None:
    lines = listed(item("1", 2) * 28, ("1", "outline", "")).split()
    assert lines[::2][25:] == ["(z)", "(aa)", "(bb)"]


def test_a_list_goes_on_after_another_paragraph_and_in_a_list_of_the_same_kind() -> None:
    body = item("1", 0) + paragraph("between") + item("1", 0) + item("2", 0) + item("9", 0)
    assert listed(body, ("1", "outline", ""), ("2", "outline", "")) == "1. x\n\nbetween\n\n2. x\n3. x\n- x"


def test_a_list_may_start_anew() -> None:
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    body = item("1", 0) + item("2", 0) + item("2", 0)
    assert listed(body, ("1", "outline", ""), ("2", "outline", override)) == "1. x\n7. x\n8. x"


def test_a_list_may_have_a_level_of_its_own() -> None:
    level = '<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimalZero"/><w:lvlText w:val="No. %1"/></w:lvl>'
    override = f'<w:lvlOverride w:ilvl="0">{level}</w:lvlOverride>'
    assert listed(item("1", 0) * 2, ("1", "outline", override)) == "No. 03 x\nNo. 04 x"


def test_a_heading_has_its_number_and_a_list_of_number_zero_has_none() -> None:
    body = item("1", 0, "Leave", '<w:outlineLvl w:val="0"/>') + item("0", 0, "text")
    assert listed(body, ("1", "outline", "")) == "# 1. Leave\n\ntext"


def test_a_deleted_item_takes_no_number() -> None:
    gone = item("1", 0, "", "<w:rPr><w:del/></w:rPr>")
    assert listed(item("1", 0) + gone + item("1", 0), ("1", "outline", "")) == "1. x\n2. x"
