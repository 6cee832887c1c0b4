"""Watches what requests change in a bucket and sends S3's event messages for it to a queue.

moto's own notifications lack fields and whole kinds of events, and send two for a multipart upload. Here
the versions of a key before and after a request are compared, so that an event tells what happened and not
what was asked for: a failed, repeated or empty request sends none.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, s3_backends
from moto.s3.responses import S3Response
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import get_input_stream

from local.storage import queues
from local.storage.events import Change, Sequencer, event_message, set_up_message
from local.storage.queues import ACCOUNT, REGION, STATE_LOCK

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

ADMIN_PATH = "/_twin/notifications"
LIFECYCLE_HEADER = "x-twin-lifecycle"
_READING = ("Get", "List", "Receive")  # SQS actions after which nothing needs saving
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_Versions = dict[str, list[Any]]  # key -> its versions and delete markers, oldest first


@dataclass(frozen=True, slots=True)
class Target:
    """Where the events of one bucket go."""

    queue_name: str
    prefix: str


class NotifyingStorage:
    """A WSGI application around moto's: one request at a time, each change followed by its events."""

    def __init__(
        self, application: "WSGIApplication", targets: dict[str, Target], *, on_change: Callable[[], None]
    ) -> None:
        self._targets = targets
        self._application = application
        self._on_change = on_change
        self._sequencer = Sequencer()

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        body = _read_body(environ)  # before the lock: a slow sender must not stop the others
        request = Request(environ)
        with STATE_LOCK:
            if request.path == ADMIN_PATH:
                return self._configure(request, body)(environ, start_response)
            if _is_queue_request(request):
                return self._pass_on(environ, start_response, changes=_changes_queues(request))
            return self._store(request, environ, start_response)

    def _store(self, request: Request, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        bucket, key = _address(request)
        if request.method not in ("PUT", "POST", "DELETE"):
            return self._pass_on(environ, start_response, changes=False)
        before = _versions(bucket, key)
        reply = self._pass_on(environ, start_response, changes=True)
        for change in _changes(request, before, _versions(bucket, key)):
            self._send(bucket, change, request.remote_addr or "127.0.0.1")
        return reply

    def _pass_on(self, environ: dict[str, Any], start_response: "StartResponse", *, changes: bool) -> Iterable[bytes]:
        reply, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        start_response(status, list(headers))
        if changes:
            self._on_change()
        return reply

    def _send(self, bucket: str, change: Change, source_ip: str) -> None:
        target = self._targets.get(bucket)
        if target is None or not change.key.startswith(target.prefix):
            return
        found = _bucket(bucket)
        message = event_message(
            change,
            bucket=bucket,
            region=found.region_name if found else REGION,
            source_ip=source_ip,
            sequencer=self._sequencer.next(),
        )
        try:
            queues.send(target.queue_name, json.dumps(message))
        except QueueDoesNotExist:
            print(f"an event was lost: there is no queue {target.queue_name}", file=sys.stderr)

    def _configure(self, request: Request, body: bytes) -> Response:
        if request.method != "PUT":
            return _answer(HTTPStatus.METHOD_NOT_ALLOWED, {"error": f"PUT {ADMIN_PATH}"})
        try:
            wanted = json.loads(body)
            bucket, queue_url = str(wanted["bucket"]), str(wanted["queue_url"])
            target = Target(queue_url.rstrip("/").rpartition("/")[2], str(wanted.get("prefix", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            return _answer(HTTPStatus.BAD_REQUEST, {"error": "expected bucket, queue_url and prefix"})
        if _bucket(bucket) is None:
            return _answer(HTTPStatus.NOT_FOUND, {"error": f"there is no bucket {bucket}"})
        if target.queue_name not in sqs_backends[ACCOUNT][REGION].queues:
            return _answer(HTTPStatus.NOT_FOUND, {"error": f"there is no queue {target.queue_name}"})
        self._targets[bucket] = target
        queues.send(target.queue_name, json.dumps(set_up_message(bucket)))
        self._on_change()
        return _answer(HTTPStatus.OK, {"bucket": bucket, "queue": target.queue_name, "prefix": target.prefix})


def _answer(status: HTTPStatus, body: Mapping[str, str]) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def _read_body(environ: dict[str, Any]) -> bytes:
    """Reads the whole body and puts it back with a length; also when it came in chunks without one."""
    body = get_input_stream(environ).read()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
    form = environ.get("CONTENT_TYPE", "").startswith(_FORM_TYPES)
    if form and environ["REQUEST_METHOD"] == "PUT":
        environ["CONTENT_TYPE"] = "binary/octet-stream"  # moto would take the object for a form: 0 bytes
    return body


def _is_queue_request(request: Request) -> bool:
    scope = request.headers.get("Authorization", "")
    return "/sqs/aws4_request" in scope or request.headers.get("X-Amz-Target", "").startswith("AmazonSQS.")


def _changes_queues(request: Request) -> bool:
    action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return not action.startswith(_READING)


def _address(request: Request) -> tuple[str, str]:
    """Bucket and key ("" when the request is for a bucket), addressed by path or by host name."""
    path = unquote(str(request.environ.get("RAW_URI", request.path)).partition("?")[0]).removeprefix("/")
    if S3Response.subdomain_based_buckets(request):
        return request.host.partition(".")[0], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _bucket(name: str) -> FakeBucket | None:
    try:
        return s3_backends[ACCOUNT]["aws"].get_bucket(name)
    except MissingBucket:
        return None


def _versions(bucket: str, key: str) -> _Versions:
    found = _bucket(bucket)
    if found is None:
        return {}
    # Requests for a bucket name their keys in the body (batch deletes, form uploads): look at all.
    return {name: list(found.keys.getlist(name, [])) for name in ([key] if key else list(found.keys))}


def _changes(request: Request, before: _Versions, after: _Versions) -> Iterable[Change]:
    by_lifecycle = request.headers.get(LIFECYCLE_HEADER, "").lower() == "true"
    removal = "LifecycleExpiration" if by_lifecycle else "ObjectRemoved"
    for key in before | after:
        old, new = before.get(key, []), after.get(key, [])
        added = _missing_from(old, new)
        for version in added:
            if isinstance(version, FakeDeleteMarker):
                yield Change.marker(f"{removal}:DeleteMarkerCreated", key, version.version_id)
            else:
                yield _created(request, key, version)
        if not any(isinstance(version, FakeKey) for version in added):  # else it was overwritten
            for version in _missing_from(new, old):
                yield Change(f"{removal}:Delete", key, version_id=_version_id(version))


def _missing_from(some: list[Any], others: list[Any]) -> list[Any]:
    known = {id(version) for version in some}
    return [version for version in others if id(version) not in known]


def _created(request: Request, key: str, version: FakeKey) -> Change:
    if request.method == "PUT":
        kind = "Copy" if "x-amz-copy-source" in request.headers else "Put"
    else:
        kind = "CompleteMultipartUpload" if "uploadId" in request.args else "Post"
    name = f"ObjectCreated:{kind}"
    return Change(name, key, version.size, version.etag.strip('"'), _version_id(version))


def _version_id(version: Any) -> str | None:
    return None if version.version_id == "null" else str(version.version_id)
