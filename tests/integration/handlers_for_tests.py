"""Handlers that the tests of the local twin run in environments of their own."""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def echo(event: Any, _context: Any) -> Any:
    return event


def process(_event: Any, _context: Any) -> int:
    return os.getpid()


def describe(_event: Any, context: Any) -> dict[str, Any]:
    return {
        "context": {name: value for name, value in vars(context).items() if not name.startswith("_")},
        "remaining_ms": context.get_remaining_time_in_millis(),
        "variables": dict(os.environ),
    }


def act(event: dict[str, Any], _context: Any) -> Any:
    """Does what the event says: raise, exit, sleep, print, return what JSON cannot hold, answer the process id."""
    if "print" in event:
        print(event["print"])  # noqa: T201 - what a logger on stdout does
    if "raise" in event:
        raise LookupError(event["raise"])
    if "exit" in event:
        os._exit(event["exit"])
    if "unserialisable" in event:
        return {1, 2}
    if "repeat" in event:
        return "x" * event["repeat"]
    time.sleep(event.get("sleep", 0))
    return os.getpid()


def start_sleeper(event: dict[str, Any], _context: Any) -> None:
    """Starts a process that would live on, writes both process ids to a file, and hangs."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    path = Path(event["file"])
    path.with_suffix(".part").write_text(f"{os.getpid()} {sleeper.pid}")
    path.with_suffix(".part").rename(path)
    time.sleep(60)


def consume(event: dict[str, Any], _context: Any) -> Any:
    """Appends each record to the file RECEIVED names; a body says what becomes of its message."""
    with Path(os.environ["RECEIVED"]).open("a", encoding="utf-8") as received:
        received.writelines(json.dumps({**record, "at": time.time()}) + "\n" for record in event["Records"])
    first_time = [r for r in event["Records"] if r["attributes"]["ApproximateReceiveCount"] == "1"]
    if any(record["body"] == "crash once" for record in first_time):
        os._exit(1)
    if any(record["body"] == "hang once" for record in first_time):
        time.sleep(60)
    time.sleep(sum(float(r["body"].removeprefix("sleep ")) for r in event["Records"] if "sleep" in r["body"]))
    failed = [r for r in event["Records"] if r["body"] == "fail" or (r["body"] == "fail once" and r in first_time)]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def serve(event: dict[str, Any], _context: Any) -> Any:
    """Answers a proxy event with that event; at /returns with the JSON in the body, whatever it is."""
    if event["path"] == "/returns":
        return json.loads(event["body"])
    if event["path"] == "/raises":
        raise LookupError("no such thing")
    if event["path"] == "/sleeps":
        time.sleep(float(event["queryStringParameters"]["seconds"]))
    if event["path"] == "/bytes":
        body = base64.b64encode(bytes(range(256))).decode()
        headers = {"Content-Type": "application/octet-stream"}
        return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    return {"statusCode": 200, "body": json.dumps(event)}


def authorize(event: dict[str, Any], _context: Any) -> Any:
    """Appends the token to the file ASKED, and does as its second part says, which is JSON in base64."""
    with Path(os.environ["ASKED"]).open("a", encoding="utf-8") as asked:
        asked.write(f"{event['authorizationToken']}\n")
    part = event["authorizationToken"].split(".")[1]
    wish = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if "raise" in wish:
        raise LookupError(wish["raise"])
    if "result" in wish:
        return wish["result"]
    resource = wish["resource"].replace("API", event["methodArn"].split("/")[0])
    statements = [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
        for effect in wish.get("effects", ["Allow"])
    ]
    context = wish.get("context", {})
    return {"principalId": "issuer|7", "policyDocument": {"Statement": statements}, "context": context}
