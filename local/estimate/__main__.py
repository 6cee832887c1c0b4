"""``make estimate``: what a folder or a bucket would cost to index, before anything is paid."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from bucketwise.errors import BucketUnavailable, InvalidSettings
from bucketwise.settings import Settings
from ingest.sandbox.client import Sandbox, SandboxLimits
from ingest.sandbox.losses import Loss
from local.estimate.counting import Estimate, Estimator
from local.estimate.sources import BucketSource, FolderSource, Source
from local.function_settings import model_settings, with_defaults

# What OpenAI lets an account of its first paid tier send of an embedding model in a minute
# (https://platform.openai.com/docs/models/text-embedding-3-small, as of 2025).
TOKENS_PER_MINUTE = 1_000_000
MOST_SHOWN = 20  # rejected files; --json lists all


@dataclass(frozen=True, slots=True)
class Report:
    """``parsing_seconds`` were measured here; ``embedding_seconds`` is the least that the model's limit allows."""

    estimate: Estimate
    parsing_seconds: float
    embedding_seconds: float

    def public(self) -> dict[str, Any]:
        return {
            "outcomes": self.estimate.outcomes,
            "bytes": self.estimate.bytes,
            "chunks": self.estimate.chunks,
            "tokens": self.estimate.tokens,
            "embedding_model": self.estimate.embedding_model,
            "texts_to_embed": self.estimate.texts,
            "embedding_tokens": self.estimate.embedding_tokens,
            "usd": self.estimate.usd,
            "parsing_seconds": round(self.parsing_seconds, 3),
            "embedding_seconds": round(self.embedding_seconds, 3),
            "rejected": [asdict(each) for each in self.estimate.rejected],
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """0, also if files would fail; 1 if the settings are wrong, or the folder or bucket cannot be listed."""
    options = _options(arguments)
    try:
        given = with_defaults(model_settings(os.environ, None))
        prefix = given.prefix if options.prefix is None else options.prefix
        report = _report(given, _source(options, prefix), prefix, options.tokens_per_minute)
    except (InvalidSettings, BucketUnavailable) as error:
        print(f"cannot estimate: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report.public(), indent=2))
    else:
        _show(report, options.tokens_per_minute)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.estimate", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--dir", type=Path)
    where.add_argument("--bucket", help="read with your AWS credentials; AWS_ENDPOINT_URL names another S3")
    parser.add_argument("--prefix", help="of the bucket's keys; without it, the setting PREFIX")
    parser.add_argument("--tokens-per-minute", type=int, default=TOKENS_PER_MINUTE, help="that the model takes")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _source(options: argparse.Namespace, prefix: str) -> Source:
    if options.dir is not None:
        return FolderSource(options.dir)
    return BucketSource(boto3.client("s3"), options.bucket, prefix)


def _report(given: Settings, source: Source, prefix: str, tokens_per_minute: int) -> Report:
    began = time.perf_counter()
    with closing(Sandbox(SandboxLimits(), _rejected)) as sandbox, Console(stderr=True).status("reading") as status:
        estimator = Estimator(given, sandbox.parse, prefix=prefix if isinstance(source, BucketSource) else "")
        for number, key in enumerate(source.keys(), start=1):
            status.update(f"reading file {number:,}")
            estimator.take(source, key)
    passed = time.perf_counter() - began
    return Report(estimator.estimate, passed, estimator.estimate.embedding_tokens * 60 / tokens_per_minute)


def _rejected(_loss: Loss) -> None:
    """Of whom a parsing process was lost is told with the documents that are rejected."""


def _show(report: Report, tokens_per_minute: int) -> None:
    estimate, console = report.estimate, Console(highlight=False, soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    for outcome, count in estimate.outcomes.items():
        table.add_row(f"files: {outcome}", f"{count:,}")
    table.add_row("chunks", f"{estimate.chunks:,}")
    table.add_row("tokens in them", f"{estimate.tokens:,}")
    table.add_row("texts to embed, each once", f"{estimate.texts:,}")
    table.add_row("tokens to embed", f"{estimate.embedding_tokens:,}")
    usd = "no listed price" if estimate.usd is None else f"${estimate.usd:,.6f}"
    table.add_row(f"cost with {estimate.embedding_model}", usd)
    table.add_row("reading and parsing took", f"{report.parsing_seconds:,.1f} s")
    table.add_row(f"embedding at {tokens_per_minute:,} tokens a minute", f"{report.embedding_seconds:,.1f} s")
    console.print(table)
    for each in estimate.rejected[:MOST_SHOWN]:
        name = each.key.encode(errors="backslashreplace").decode()
        console.print(f"{name}: {each.reason}. {each.hint}", markup=False)
    if len(estimate.rejected) > MOST_SHOWN:
        console.print(f"and {len(estimate.rejected) - MOST_SHOWN:,} more; --json lists all")


if __name__ == "__main__":
    raise SystemExit(main())
