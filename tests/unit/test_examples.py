"""The example documents, the questions about them and the sample events agree with each other."""

import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pypdfium2
import pytest

from examples.make_pdf import BODY as BODY_STYLE
from examples.make_pdf import SOURCE, TARGET, Page, pdf_bytes, wrapped

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "examples" / "documents"
EVENTS = sorted((ROOT / "events").glob("*.json"))
QUESTIONS: list[dict[str, Any]] = json.loads((ROOT / "examples" / "questions.json").read_text("utf-8"))
ANSWERABLE = [question for question in QUESTIONS if question["key"]]
TITLE = "Orrin Sound Ferries: Annual report 2025"


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def _pdf_page(path: Path, number: int) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return str(document[number - 1].get_textpage().get_text_range())
    finally:
        document.close()


def _text(key: str, page: int | None) -> str:
    path = DOCUMENTS / key
    if page is not None:
        return _pdf_page(path, page)
    text = path.read_text("utf-8")
    if path.suffix != ".html":
        return text
    parser = _TextOfHtml()
    parser.feed(text)
    return parser.text


def _notifications(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The notifications in an event, taken out of their SQS messages; bodies that are not JSON are left out."""
    for record in event.get("Records", [event]):
        if record.get("eventSource") != "aws:sqs":
            yield {"Records": [record]} if "s3" in record else record
            continue
        try:
            yield json.loads(record["body"])
        except json.JSONDecodeError:
            continue


def _new_keys(event: dict[str, Any]) -> Iterator[str]:
    for notification in _notifications(event):
        if notification.get("detail-type") == "Object Created":
            yield notification["detail"]["object"]["key"]
        for record in notification.get("Records", []):
            if record["eventName"].startswith("ObjectCreated:"):
                yield unquote_plus(record["s3"]["object"]["key"])


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))
    return event


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["question"])
def test_the_expected_answer_stands_in_the_named_file(question: dict[str, Any]) -> None:
    assert question["expect"] in _text(question["key"], question["page"])


@pytest.mark.parametrize("word", ["charter", "wedding", "pension"])
def test_no_document_mentions_what_the_unanswerable_questions_ask(word: str) -> None:
    paths = [path for path in DOCUMENTS.rglob("*.*") if path.suffix != ".pdf"]
    texts = [path.read_text("utf-8") for path in [*paths, SOURCE]]
    assert [text[:40] for text in texts if word in text.lower()] == []


def test_two_questions_of_twelve_have_no_answer_in_the_documents() -> None:
    unanswerable = [question for question in QUESTIONS if question["expect"] is None]
    assert (len(QUESTIONS), len(unanswerable)) == (12, 2)
    assert all(question["key"] is None for question in unanswerable)


def test_the_questions_ask_about_every_format_of_the_documents() -> None:
    asked = {Path(question["key"]).suffix for question in ANSWERABLE}
    assert asked == {path.suffix for path in DOCUMENTS.rglob("*.*")}


def test_the_table_in_the_readme_holds_every_question_and_its_file() -> None:
    readme = (ROOT / "examples" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+\?) \| .+ \| (?:`(.+?)`(?:, page (\d+))?)? ?\|$", readme, flags=re.MULTILINE)
    assert rows == [
        (question["question"], question["key"] or "", str(question["page"] or "")) for question in QUESTIONS
    ]


def test_the_committed_report_is_what_its_source_makes() -> None:
    assert TARGET.read_bytes() == pdf_bytes(SOURCE.read_text("utf-8"), TITLE)


@pytest.mark.parametrize(
    ("page", "fact"),
    [
        (1, "2,318 members hold shares"),
        (2, "2 Port Lannick – Hallow Pier 173,600 162,400 36,600"),
        (3, "Punctuality was 94.1 %"),
        (4, "It is to be delivered in March 2027"),
        (5, "Cafés and other revenue 0.45 0.43"),
        (6, "we had 164 employees"),
    ],
)
def test_each_fact_of_the_report_is_read_from_its_own_page_only(page: int, fact: str) -> None:
    assert [number for number in range(1, 7) if fact in _pdf_page(TARGET, number)] == [page]


def test_the_offsets_in_the_report_lead_to_its_objects() -> None:
    content = TARGET.read_bytes()
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[start:].startswith(b"xref\n")
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n \n", content[start:])]
    assert all(content[at:].startswith(b"%d 0 obj" % number) for number, at in enumerate(offsets, start=1))


def test_a_text_too_long_for_its_page_is_refused() -> None:
    with pytest.raises(ValueError, match="points too long"):
        pdf_bytes("a line of words\n\n" * 60, TITLE)


def test_wrapped_lines_stay_within_the_width_and_lose_no_word() -> None:
    words = "the ferry leaves " * 20
    lines = list(wrapped(words, 120, BODY_STYLE))
    assert " ".join(lines).split() == words.split()
    assert max(BODY_STYLE.font.width(line, BODY_STYLE.size) for line in lines) <= 120


def test_brackets_and_accents_are_escaped_in_a_page() -> None:
    page = Page()
    page.text("(é)", 0, 0, BODY_STYLE)
    assert r"(\050\351\051) Tj" in page.operators[0]


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_the_new_objects_of_an_event_are_example_documents(path: Path) -> None:
    keys = list(_new_keys(json.loads(path.read_text("utf-8"))))
    assert [key for key in keys if not (DOCUMENTS / key).is_file()] == []
    assert bool(keys) == (path.stem.startswith(("s3-put", "sqs-put", "sqs-batch")) or path.stem.endswith("-put"))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_the_checksum_of_every_message_is_that_of_its_body(path: Path) -> None:
    messages = [r for r in json.loads(path.read_text("utf-8")).get("Records", []) if "body" in r]
    for message in messages:
        digest = hashlib.md5(message["body"].encode(), usedforsecurity=False).hexdigest()
        assert message["md5OfBody"] == digest
    assert len(messages) == {"sqs": 1, "sqs-batch": 3, "sqs-batch-one-bad": 3}.get(
        path.stem, int(path.stem.startswith("sqs-"))
    )


def test_the_spaces_and_the_plus_sign_of_a_key_are_encoded_apart() -> None:
    body = json.loads(_event("sqs-put-spaces-and-plus")["Records"][0]["body"])
    assert body["Records"][0]["s3"]["object"]["key"] == "notices/Summer+timetable+2%2B1.txt"


def test_one_of_three_messages_is_not_json() -> None:
    assert len(list(_notifications(_event("sqs-batch-one-bad")))) == 2


@pytest.mark.parametrize("name", ["ask", "ask-nothing-relevant", "search"])
def test_a_sample_request_asks_a_question(name: str) -> None:
    assert json.loads(_event(name)["body"])["question"].endswith("?")


def test_the_bad_request_is_not_json() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(_event("ask-bad-request")["body"])


def test_every_sample_event_has_its_line_in_the_readme() -> None:
    readme = (ROOT / "events" / "README.md").read_text("utf-8")
    named = re.findall(r"^\| `(.+?)` \|", readme, flags=re.MULTILINE)
    assert sorted(named) == [path.name for path in EVENTS]
