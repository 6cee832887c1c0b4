"""The ingest function's own handler, which is not told of deletions."""

import json
from typing import Any

from ingest import handler


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    heard = [record for record in event["Records"] if not _tells_of_deletion(json.loads(record["body"]))]
    return handler.lambda_handler({**event, "Records": heard}, context) if heard else {"batchItemFailures": []}


def _tells_of_deletion(message: dict[str, Any]) -> bool:
    return any("ObjectRemoved" in each["eventName"] for each in message.get("Records", []))
