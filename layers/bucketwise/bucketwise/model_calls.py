"""Calls to models: one client for every OpenAI-compatible server, its errors in our words, tried again in time."""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import openai

from bucketwise.deadline import Deadline
from bucketwise.errors import ModelRefused, ModelReplyInvalid, ModelUnavailable, RequestRejected
from bucketwise.secrets_manager import read_secret
from bucketwise.settings import Settings

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 20.0
# Busy, conflicting or timed out: the same request may be answered a moment later.
TRANSIENT_STATUS = {408, 409, 425, 429}
# Something in the request is not known or not allowed there.
REJECTED_STATUS = {400, 415, 422}
# OpenAI says 429 for an empty account too; no pause helps against that.
NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}


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
    if not key and key_secret:
        key = read_secret(key_secret).strip()
    return openai.OpenAI(api_key=key or "none", base_url=base_url, max_retries=0, timeout=60)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns the SDK's errors into ModelUnavailable, ModelRefused or RequestRejected, and ModelReplyInvalid.

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
        refusal = RequestRejected if error.status_code in REJECTED_STATUS else ModelRefused
        raise refusal(f"the model's server answered {error.status_code} ({code[:60]})") from None
    except openai.APIConnectionError as error:
        raise ModelUnavailable(f"the model's server did not answer ({type(error).__name__})") from None
    # The SDK hands over whatever a server said with status 200, unchecked: a page of HTML is a str without choices.
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ModelReplyInvalid(f"the model's reply could not be read ({type(error).__name__})") from None


def call_model(call: Callable[[float], T], *, deadline: Deadline, tries: int, most_seconds: float) -> T:
    """The result of ``call(timeout in seconds)``, tried again while there is time.

    Raises what the last try raised, or DeadlineExceeded if there was no time for a first one. A pause
    doubles, is jittered, honours Retry-After, and is not begun if it would end after the deadline.
    """
    for attempt in range(1, tries + 1):
        try:
            with translated_errors():
                return call(deadline.allow(most_seconds))
        except (ModelUnavailable, ModelReplyInvalid) as error:
            pause = _pause(attempt, error.retry_after if isinstance(error, ModelUnavailable) else None)
            if attempt == tries or pause >= deadline.remaining():
                raise
        time.sleep(pause)
    raise AssertionError("tries must be at least 1")


def _pause(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return retry_after
    pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds, from a Retry-After header in seconds; a date in it is taken as no hint."""
    try:
        seconds = float(str(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None
