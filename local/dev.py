"""``make dev``: the whole system, staying up, with its state kept in ``.bucketwise/``."""

import argparse
import os
import shlex
import signal
import sys
import threading
from pathlib import Path

from rich.console import Console

from bucketwise.errors import IndexMismatch, InvalidSettings
from local import ROOT
from local.environment import FunctionError
from local.function_settings import wants_own_model
from local.postgres import DatabaseInUse
from local.process import ServerDied
from local.services import BUCKET, INGEST_SECONDS, TwinOptions
from local.storage.client import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.twin import Twin
from local.watched_folder import WatchedFolder

# So much later a document whose worker crashed is looked at again: its time limit is over by then.
RETRY_SECONDS = int(INGEST_SECONDS) + 30

RECONCILE_SECONDS = 300.0

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.dev", description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / ".bucketwise", help="holds documents, state and logs")
    parser.add_argument("--port", type=int, default=0, help="of the API; 0 takes a free one")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        _serve(options.home, options.port, stop)
    except (ServerDied, DatabaseInUse, InvalidSettings, IndexMismatch, FunctionError, OSError) as failure:
        console.print(f"[red]could not start:[/] {failure}")
        return 1
    return 0


def _serve(home: Path, port: int, stop: threading.Event) -> None:
    documents = home / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    console.print("[dim]starting ...[/]")
    options = TwinOptions(
        home=home,
        environment=os.environ,
        durable=True,
        port=port,
        visibility_seconds=RETRY_SECONDS,
        reconcile_seconds=RECONCILE_SECONDS,
    )
    with Twin(options) as twin:
        folder = WatchedFolder(documents, BUCKET, twin.s3, home / "watched.json")
        watcher = threading.Thread(target=folder.run, args=(stop,), name="watched folder")
        watcher.start()
        # The index may be another one than last time: each embedding model has its own.
        report = twin.reconcile()
        _explain(twin, documents)
        console.print(f"bucket and index compared: {report['sent']} of {report['looked_at']} documents to be looked at")
        stop.wait()
        console.print("stopping, when the documents under way are done ...")
        watcher.join()
    console.print("stopped; nothing is left running")


def _explain(twin: Twin, documents: Path) -> None:
    models = "your own, as OPENAI_BASE_URL or OPENAI_API_KEY say" if wants_own_model(os.environ) else "local, no key"
    credentials = (
        f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY} AWS_DEFAULT_REGION={REGION}"
    )
    examples = shlex.quote(str(ROOT / "examples" / "documents"))
    console.print(
        f"""
API       {twin.url}
bucket    s3://{BUCKET} at {twin.storage.url}
models    {models}
database  {twin.index.ingest}
logs      {twin.logs}

[bold]Drop a file[/]: save it in {documents}
  cp -r {examples}/. {shlex.quote(str(documents))}/
or send it:
  {credentials} \\
  aws --endpoint-url {twin.storage.url} s3 cp FILE s3://{BUCKET}/

[bold]Ask[/]:
  export API={twin.url}
  curl -s $API/ask -d '{{"question": "How many days of annual leave do shore staff have?"}}'
  curl -s $API/documents

Ctrl-C stops it; what is in the bucket and the index is kept.
""",
        markup=True,
    )
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
