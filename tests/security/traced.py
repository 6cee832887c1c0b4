"""The functions' own handlers, each request of which is one that X-Ray takes as a sample."""

import importlib
import os
from typing import Any


def ask(event: Any, context: Any) -> Any:
    return _sampled("ask.handler", event, context)


def ingest(event: Any, context: Any) -> Any:
    return _sampled("ingest.handler", event, context)


def reconcile(event: Any, context: Any) -> Any:
    return _sampled("ingest.reconcile_handler", event, context)


def reindex(event: Any, context: Any) -> Any:
    return _sampled("ingest.reindex_handler", event, context)


def migrate(event: Any, context: Any) -> Any:
    return _sampled("migrate.handler", event, context)


def _sampled(module: str, event: Any, context: Any) -> Any:
    os.environ["_X_AMZN_TRACE_ID"] = os.environ["_X_AMZN_TRACE_ID"].replace("Sampled=0", "Sampled=1")
    return importlib.import_module(module).lambda_handler(event, context)
