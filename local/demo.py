"""``make demo``: the main job in front of your eyes, in well under a minute."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bucketwise.errors import InvalidSettings
from local import ROOT
from local.api import Api
from local.function_settings import wants_own_model
from local.process import ServerDied
from local.services import BUCKET, TwinOptions
from local.twin import Twin

DOCUMENTS = ROOT / "examples" / "documents"
LEAVE = "How many days of annual leave do shore staff have?"
FUEL = "How many litres of fuel did the fleet burn in 2025?"
WEDDING = "What does it cost to charter a ship for a wedding?"
BICYCLE = "How many bicycle places does the Aldermoor have?"
CHANGED, DELETED = "handbook/employee-handbook.md", "reports/annual-report-2025.pdf"
PATIENCE_SECONDS = 120.0

console = Console(highlight=False, soft_wrap=True)


class DemoFailed(Exception):
    """The system did not do what the demo shows."""


def main() -> int:
    """0 if all happened as told; 1 otherwise, naming the folder with the logs."""
    home = Path(tempfile.mkdtemp(prefix="bucketwise-demo-"))
    try:
        console.print("[dim]starting PostgreSQL, S3, SQS, the models and the functions on 127.0.0.1 ...[/]")
        with Twin(TwinOptions(home=home, environment=os.environ, faults=True)) as twin:
            Demo(twin).play()
    except (DemoFailed, ServerDied, InvalidSettings) as failure:
        console.print(f"[red]The demo failed:[/] {failure}\nlogs: {home / 'logs'}")
        return 1
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130
    shutil.rmtree(home, ignore_errors=True)
    return 0


class Demo:
    """What it prints came over HTTP from the functions' handlers."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._api = Api(twin.url)
        self._local_model = not wants_own_model(os.environ)

    def play(self) -> None:
        self._heading("1. Drop files in the bucket")
        self._drop_all()
        self._show_documents()
        self._heading("2. Ask")
        self._ask(LEAVE, "27 days")
        self._ask(FUEL, "1,914,000 litres")
        self._ask(WEDDING, None)
        self._heading("3. Ask the same again: from the cache, with nothing to pay")
        self._ask(LEAVE, "27 days", cache="hit")
        self._heading(f"4. Change {CHANGED} (27 days become 29), delete {DELETED}")
        self._change_and_delete()
        self._heading("5. Ask again: what was kept is not answered any more")
        self._ask(LEAVE, "29 days", cache="miss")
        self._ask(FUEL, None)
        self._show_failing_model()
        console.print("\n[green]The answers followed the bucket.[/] Keep it running with: [bold]make dev[/]")

    def _drop_all(self) -> None:
        files = sorted(path for path in DOCUMENTS.rglob("*") if path.is_file())
        for path in files:
            key = path.relative_to(DOCUMENTS).as_posix()
            self._twin.s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("indexed", total=len(files))

            def all_there() -> bool:
                progress.update(task, completed=len(self._documents()))
                return len(self._documents()) == len(files)

            self._wait_until(all_there, "indexing the documents")

    def _show_documents(self) -> None:
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("key", "state", "pages", "chunks", "tokens", "cost"):
            table.add_column(
                name,
                justify="left" if name in ("key", "state") else "right",
                no_wrap=True,
                min_width=7 if name != "key" else None,
            )
        for document in self._documents():
            numbers = (document["pages"] or "-", document["chunks"], document["tokens"])
            table.add_row(document["key"], document["state"], *map(str, numbers), self._usd(document["cost_usd"]))
        console.print(table)
        failed = [document["key"] for document in self._documents() if document["state"] != "indexed"]
        if failed:
            raise DemoFailed(f"not indexed: {', '.join(failed)}")

    def _show_failing_model(self) -> None:
        """Only the local server fails when it is told to."""
        if self._twin.models is None:
            return
        self._heading("6. Ask while the answering model fails: the passages, marked degraded")
        self._twin.models.add_fault(route="chat", kind="status", status=503, times=2)
        self._ask(BICYCLE, None, degraded=True)
        self._twin.models.clear_faults()

    def _ask(self, question: str, expected: str | None, *, cache: str = "miss", degraded: bool = False) -> None:
        """Prints question and answer. With the local models, the answer must hold what is expected."""
        reply = self._api.post("/ask", {"question": question})
        if reply.status != 200:
            raise DemoFailed(f"the question was answered with {reply.status} {reply.body['title']}")
        body = reply.body
        console.print(Text.assemble("\n  ", (question, "bold")))
        if body["answered"]:
            console.print(f"  {body['answer']}", markup=False)
        else:
            state = f"{body['reason']}, degraded" if body["degraded"] else body["reason"]
            console.print(f"  [yellow]no answer[/] ({state})")
        for passage in body["passages"][:2]:
            text = " ".join(passage["text"].split())[:90]
            console.print(Text.assemble("  found ", (passage["key"], "cyan"), (f'\n      "{text} ..."', "dim")))
        for citation in body["citations"]:
            page = f", page {citation['page']}" if citation["page"] else ""
            source = f"{citation['key']}{page}, characters {citation['start']}-{citation['end']}"
            quote = " ".join(citation["quote"].split())
            console.print(Text.assemble(f"  [{citation['marker']}] ", (source, "cyan"), (f'\n      "{quote}"', "dim")))
        console.print(f"  [dim]{self._usage(body)}[/]")
        if self._local_model and not _as_expected(body, expected):
            raise DemoFailed("the answer is not what the documents say")
        if self._local_model and (body["cache"], body["degraded"]) != (cache, degraded):
            raise DemoFailed(f"the reply is a cache {body['cache']}, degraded: {body['degraded']}")

    def _change_and_delete(self) -> None:
        handbook = (DOCUMENTS / CHANGED).read_text(encoding="utf-8")
        changed = handbook.replace("27 days", "29 days")
        version = self._twin.s3.put_object(Bucket=BUCKET, Key=CHANGED, Body=changed.encode())["VersionId"]
        self._twin.s3.delete_object(Bucket=BUCKET, Key=DELETED)

        def followed() -> bool:
            by_key = {document["key"]: document for document in self._documents()}
            changed: bool = by_key[CHANGED]["version"] == version
            return changed and by_key[DELETED]["state"] == "deleted"

        began = time.monotonic()
        self._wait_until(followed, "following the bucket")
        receipt = self._api.get("/documents", key=CHANGED).body["documents"][0]
        console.print(
            f"  followed after {time.monotonic() - began:.1f} s: {receipt['reused']} chunks reused, "
            f"{receipt['embedded']} embedded anew; {DELETED} is deleted"
        )

    def _usage(self, body: dict[str, Any]) -> str:
        usage, timings = body["usage"], body["timings_ms"]
        tokens = f"{usage['embedding_tokens']} + {usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
        steps = ", ".join(f"{step} {milliseconds:.0f} ms" for step, milliseconds in timings.items())
        return f"cache {body['cache']}; {tokens} (embedding, prompt, answer), {self._usd(usage['usd'])}; {steps}"

    def _usd(self, cost: float | None) -> str:
        if not cost and self._local_model:
            return "$0"
        if cost is None:
            return "$0" if self._local_model else "no listed price"
        return f"${cost:.6f}"

    def _documents(self) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = self._api.get("/documents").body["documents"]
        return documents

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} took longer than {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.1)

    def _heading(self, text: str) -> None:
        console.print(f"\n[bold]{text}[/]")


def _as_expected(body: dict[str, Any], expected: str | None) -> bool:
    if expected is None:
        return not body["answered"]
    return any(expected in " ".join(citation["quote"].split()) for citation in body["citations"])


if __name__ == "__main__":
    raise SystemExit(main())
