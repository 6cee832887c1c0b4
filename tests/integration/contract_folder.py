"""Two made contracts, as PDF and as plain text, with questions about them."""

import json
from pathlib import Path

from examples.make_pdf import pdf_bytes

CLAUSES = {
    "Term": "This agreement ends on December 21, 2031, unless both parties renew it in writing.",
    "Governing Law": "The laws of the Grand Duchy of Luxembourg govern this agreement.",
    "Insurance": "The supplier keeps liability insurance of five million crowns with an insurer of good standing.",
    "Audit": "Once a year the buyer may audit the books of the supplier at the buyer's own expense.",
    "Warranty": "The supplier warrants for thirty months that the goods are free from defects.",
    "Delivery": "Goods are delivered free carrier to the quay of the buyer, packed in crates of larch.",
}
PARTIES = {"Alder Timber": "SUPPLY AGREEMENT", "Birch Marine": "CHARTER AGREEMENT"}
FILLING = (
    "Nothing in this section {number} limits what the parties of the {name} owe each other under its other sections, "
    "and each of them bears its own costs. A waiver of section {number} is only good in writing. "
)
ONLY_IN_TEXT = "Disputes go to three arbitrators who sit in Uppsala."


def write_contracts(folder: Path) -> None:
    """One answer is not in the PDF, and one has no letters."""
    for name in ("pdf", "txt"):
        (folder / name).mkdir()
    answerable, unanswerable = [], []
    for party, name in PARTIES.items():
        pages = [_page(number, title, clause, name) for number, (title, clause) in enumerate(CLAUSES.items(), start=1)]
        source = "\n---\n".join([f"# {name}\n\nbetween {party} Ltd and the buyer\n", *pages])
        (folder / "pdf" / f"{party}.PDF").write_bytes(pdf_bytes(source, name))
        text = source.replace("\n---\n", "\n\n") + f"\n\nBy: [***]\n\n{ONLY_IN_TEXT}\n"
        (folder / "txt" / f"{party}.txt").write_text(text, encoding="utf-8")
        asked = {
            "when does the agreement end?": CLAUSES["Term"],
            "which laws govern the agreement?": CLAUSES["Governing Law"],
            "who may audit the books?": CLAUSES["Audit"],
            "where do arbitrators sit?": ONLY_IN_TEXT,
            "who signs?": "[***]",
        }
        for question, clause in asked.items():
            start = text.index(clause)
            answerable.append(_row(party, name, question) | {"spans": [[start, start + len(clause)]]})
        unanswerable.append(_row(party, name, "is there a right of first refusal?"))
    for kind, rows in (("answerable", answerable), ("no_clause", unanswerable)):
        (folder / f"questions_{kind}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def _page(number: int, title: str, clause: str, name: str) -> str:
    filling = "\n\n".join(FILLING.format(number=f"{number}.{part}", name=name.lower()) * 2 for part in range(4))
    return f"## {number}. {title}\n\n{clause}\n\n{filling}"


def _row(party: str, name: str, question: str) -> dict[str, object]:
    return {"doc": f"{party}.txt", "text": f"In the {name} between {party} Ltd: {question}"}
