"""Calls to models: one client for every OpenAI-compatible server, its errors in our words, tried again in time."""

import json
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import openai

from bucketwise.circuit import Circuit
from bucketwise.deadline import Deadline
from bucketwise.errors import ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.model_key import KeyInSecret
from bucketwise.model_network import call_time, within_call_time
from bucketwise.settings import Settings
from bucketwise.snapstart import closed_before_snapshot

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 20.0
# Busy, conflicting or timed out: the same request may be answered a moment later.
TRANSIENT_STATUS = {408, 409, 425, 429}
# Something in the request is not known or not allowed there.
MALFORMED_STATUS = {400, 415, 422}
# OpenAI says 429 for an empty account too; no pause helps against that.
NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}
# What a server calls an error; in the place of it, some repeat the request.
CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
# Not 403: a firewall before the server says that of a single question's words.
NO_ACCESS_STATUS = {401, 402}


def model_client(settings: Settings) -> openai.OpenAI:
    """The SDK's own retries are off: they sleep past a deadline that the SDK does not know.

    The key comes from OPENAI_API_KEY, else from the secret OPENAI_API_KEY_SECRET. A local server wants none,
    but the SDK insists on one. Raises SecretUnavailable.
    """
    return _client(
        settings.openai_base_url or "https://api.openai.com/v1",
        settings.openai_api_key.get_secret_value(),
        settings.openai_api_key_secret,
    )


def rerank_client(settings: Settings) -> openai.OpenAI:
    """The same for the server at RERANK_URL, with its own key: OpenAI's is not sent there. Raises SecretUnavailable."""
    return _client(settings.rerank_url, settings.rerank_api_key.get_secret_value(), settings.rerank_api_key_secret)


def _client(base_url: str, key: str, key_secret: str) -> openai.OpenAI:
    in_secret = KeyInSecret(key_secret) if key_secret and not key else None
    key = in_secret.key if in_secret else key or "none"
    client = within_call_time(openai.OpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=60))
    if in_secret is not None:
        client._client.auth = in_secret  # noqa: SLF001  # of httpx, which has the proxies of the environment
    return closed_before_snapshot(client)


def posted(client: openai.OpenAI, path: str, body: Mapping[str, object], *, timeout: float) -> object:
    """The JSON that a server replies with, of whatever type it says that it is. Raises the SDK's errors, ValueError."""
    reply = client.post(path, cast_to=object, body=body, options={"timeout": timeout})
    return json.loads(reply) if isinstance(reply, str) else reply  # the SDK reads what is called JSON, and nothing else


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns the SDK's errors into ModelUnavailable, ModelRefused and ModelReplyInvalid.

    Their messages keep the status and the code: a provider's text may repeat the input.
    """
    try:
        yield
    except openai.APIStatusError as error:
        code = str(error.code or error.type or error.status_code)
        if (error.status_code in TRANSIENT_STATUS and code not in NO_CREDIT) or error.status_code >= 500:
            raise ModelUnavailable(
                f"the model's server answered {error.status_code}", retry_after=_retry_after(error)
            ) from None
        raise ModelRefused(
            f"the model's server answered {error.status_code} ({code if CODE.fullmatch(code) else 'no code'})",
            malformed=error.status_code in MALFORMED_STATUS,
            lasting=error.status_code in NO_ACCESS_STATUS or code in NO_CREDIT,
        ) from None
    except openai.APIConnectionError as error:
        raise ModelUnavailable(f"the model's server did not answer ({type(error).__name__})") from None
    # The SDK hands over whatever a server said with status 200, unchecked: a page of HTML is a str without choices.
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ModelReplyInvalid(f"the model's reply could not be read ({type(error).__name__})") from None


def call_model(
    call: Callable[[float], T], *, deadline: Deadline, tries: int, most_seconds: float, circuit: Circuit | None = None
) -> T:
    """The result of ``call(timeout in seconds)``, tried again while there is time.

    Raises what the last try raised, or DeadlineExceeded if there was no time for a first one. A pause
    doubles, is jittered, honours Retry-After, and is not begun if it would end after the deadline. An open circuit
    raises ModelUnavailable without a call, and one that opens ends the tries.
    """
    if circuit is not None:
        circuit.admit()
    for attempt in range(1, tries + 1):
        try:
            return _call_once(call, deadline.allow(most_seconds), circuit)
        except (ModelUnavailable, ModelReplyInvalid) as error:
            pause = _pause(attempt, error.retry_after if isinstance(error, ModelUnavailable) else None)
            is_open = circuit is not None and circuit.is_open
            if attempt == tries or is_open or pause >= deadline.remaining():
                raise
        time.sleep(pause)
    raise AssertionError("tries must be at least 1")


def _call_once(call: Callable[[float], T], seconds: float, circuit: Circuit | None) -> T:
    try:
        with translated_errors(), call_time(seconds):
            result = call(seconds)
    except (ModelUnavailable, ModelRefused) as error:
        if circuit is not None:
            circuit.failed(error, given_seconds=seconds)
        raise
    except ModelReplyInvalid:
        if circuit is not None:
            circuit.succeeded()
        raise
    if circuit is not None:
        circuit.succeeded()
    return result


def _pause(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return retry_after
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds, from a Retry-After header in seconds or with a date (RFC 9110, 10.2.3); anything else is no hint."""
    hint = str(error.response.headers.get("retry-after", ""))
    try:
        seconds = float(hint)
    except ValueError:
        return _seconds_until(hint)
    return seconds if 0 <= seconds < math.inf else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000": the sender does not tell its zone
        return None
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return seconds if seconds > 0 else None
