"""moto's SQS made safe for concurrent clients, with long polls that let others work meanwhile."""

import threading
import time
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs import urls
from moto.sqs.models import Message, SQSBackend, sqs_backends

ACCOUNT = DEFAULT_ACCOUNT_ID
REGION = "us-east-1"

#: Held during every request. moto rebuilds a queue's list of messages when it deletes one, so that a message
#: sent meanwhile would be lost, and two receivers at once would get the same one.
STATE_LOCK = threading.RLock()
_ARRIVED = threading.Condition(STATE_LOCK)
_LOOK_AGAIN = 0.25  # seconds: a delayed or failed message becomes visible without anybody sending


class LockedQueues(SQSBackend):
    """The SQS of one region. Call with STATE_LOCK held; a long poll gives it up while it waits."""

    @property
    def _url_module(self) -> Any:  # moto looks for it beside the class it finds
        return urls

    def send_message(self, *arguments: Any, **named: Any) -> Message:
        message = super().send_message(*arguments, **named)
        _ARRIVED.notify_all()
        return message

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        deadline = time.monotonic() + wait_seconds_timeout
        while True:
            found: list[Message] = super().receive_message(
                queue_name, count, 0, visibility_timeout, message_attribute_names
            )
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            _ARRIVED.wait(min(left, _LOOK_AGAIN))


def install() -> None:
    """Makes moto use these queues. Call before the first request."""
    sqs_backends.backend = LockedQueues


def send(queue_name: str, body: str) -> None:
    """Puts a message on a queue; raises moto's QueueDoesNotExist."""
    with STATE_LOCK:
        sqs_backends[ACCOUNT][REGION].send_message(queue_name, body)
