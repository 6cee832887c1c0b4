"""A model server's failures in our words, and when another try is made."""

import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest
from pydantic import SecretStr

from bucketwise import model_calls
from bucketwise.deadline import Deadline
from bucketwise.errors import BucketwiseError, DeadlineExceeded, ModelRefused, ModelReplyInvalid, ModelUnavailable
from bucketwise.model_calls import call_model, model_client, rerank_client
from bucketwise.settings import Settings
from tests.unit.failing_model import GOOD, SECRET, Clock, ask, clock, problem, served
from tests.unit.fakes import client_to

__all__ = ["clock"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504, 529])
def test_a_busy_or_failing_server_is_unavailable(status: int) -> None:
    with pytest.raises(ModelUnavailable, match=str(status)):
        ask(served(problem(status)))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422])
def test_a_server_that_will_not_serve_the_request_has_refused(status: int) -> None:
    server = served(problem(status))
    with pytest.raises(ModelRefused, match=str(status)):
        ask(server, tries=5)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        problem(429, code="insufficient_quota"),
        problem(429, kind="insufficient_quota"),
        problem(429, code="billing_hard_limit_reached", kind="invalid_request_error"),
    ],
)
def test_an_empty_account_is_not_asked_again(reply: httpx2.Response, clock: Clock) -> None:
    server = served(reply)
    with pytest.raises(ModelRefused):
        ask(server, tries=5)
    assert (len(server.requests), clock.pauses) == (1, [])


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError(SECRET),
        httpx2.ReadTimeout(SECRET),
        httpx2.ConnectTimeout(SECRET),
        httpx2.RemoteProtocolError(SECRET),
        httpx2.ReadError(SECRET),
    ],
)
def test_a_server_that_cannot_be_reached_is_unavailable(failure: Exception) -> None:
    with pytest.raises(ModelUnavailable) as raised:
        ask(served(failure))
    assert raised.value.retry_after is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("body", ["not JSON", "[]", '"text"', "null", "", '{"data": null}', '{"data": 5}'])
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
def test_a_reply_of_status_200_in_another_form_is_invalid(body: str, content_type: str) -> None:
    server = served(httpx2.Response(200, text=body, headers={"content-type": content_type}))
    client = client_to(server)
    with pytest.raises(ModelReplyInvalid):
        call_model(
            lambda timeout: client.embeddings.create(model="m", input="x", timeout=timeout).data[0],
            deadline=Deadline.after(1),
            tries=1,
            most_seconds=1,
        )


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "reply",
    [
        problem(400),
        problem(401),
        problem(429),
        problem(500),
        httpx2.Response(500, text=SECRET),
        httpx2.Response(400, json={"error": SECRET}),
        httpx2.Response(400, json=[SECRET]),
        httpx2.ConnectError(SECRET),
        httpx2.Response(200, text=SECRET, headers={"content-type": "application/json"}),
    ],
)
def test_an_error_shows_nothing_of_the_request_or_the_providers_message(reply: httpx2.Response | Exception) -> None:
    with pytest.raises(BucketwiseError) as raised:
        ask(served(reply))
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in repr(vars(raised.value))


def test_a_failure_is_tried_again_until_it_is_answered(clock: Clock) -> None:
    server = served(problem(500), httpx2.ConnectError("gone"), GOOD)
    assert ask(server, tries=3) == [1.0]
    first, second = clock.pauses
    assert 0.125 <= first <= 0.25 <= second <= 0.5


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("tries", [1, 2, 4])
def test_after_the_last_try_its_error_is_raised(tries: int) -> None:
    server = served(*[problem(500)] * (tries - 1), problem(503))
    with pytest.raises(ModelUnavailable, match="503"):
        ask(server, tries=tries, seconds=1000)
    assert len(server.requests) == tries


def test_pauses_grow_but_stay_bounded(clock: Clock) -> None:
    with pytest.raises(ModelUnavailable):
        ask(served(problem(500)), tries=12, seconds=1000)
    assert len(clock.pauses) == 11
    assert max(clock.pauses) <= model_calls.LONGEST_PAUSE_SECONDS


def test_the_pause_that_the_server_asks_for_is_kept(clock: Clock) -> None:
    server = served(problem(429, retry_after="3"))
    with pytest.raises(ModelUnavailable) as raised:
        ask(server, tries=3, seconds=10)
    assert clock.pauses == [3, 3]
    assert raised.value.retry_after == 3


def test_a_pause_that_would_end_after_the_deadline_is_not_begun(clock: Clock) -> None:
    server = served(problem(429, retry_after="30"))
    with pytest.raises(ModelUnavailable) as raised:
        ask(server, tries=3, seconds=10)
    assert (clock.pauses, len(server.requests)) == ([], 1)
    assert raised.value.retry_after == 30


def test_a_pause_that_is_asked_for_by_a_date_is_kept(clock: Clock) -> None:
    when = datetime.now(UTC) + timedelta(seconds=30)
    with pytest.raises(ModelUnavailable) as raised:
        ask(served(problem(503, retry_after=format_datetime(when, usegmt=True)), problem(500)), tries=2, seconds=60)
    assert len(clock.pauses) == 1
    assert 20 < clock.pauses[0] <= 30
    assert raised.value.retry_after is None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "hint",
    ["", "soon", "-1", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 -0000", "1 Jan 99999"],
)
def test_a_hint_that_tells_no_time_to_come_is_no_hint(hint: str) -> None:
    with pytest.raises(ModelUnavailable) as raised:
        ask(served(problem(503, retry_after=hint)))
    assert raised.value.retry_after is None


@pytest.mark.usefixtures("clock")
def test_without_time_no_request_is_sent() -> None:
    server = served(GOOD)
    with pytest.raises(DeadlineExceeded):
        ask(server, seconds=0)
    assert server.requests == []


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("left", "most", "given"), [(10, 60, 10), (100, 60, 60)])
def test_a_call_is_given_what_is_left_but_not_more_than_its_share(left: float, most: float, given: float) -> None:
    assert call_model(lambda timeout: timeout, deadline=Deadline.after(left), tries=1, most_seconds=most) == given


def settings(**variables: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": "postgresql://x"} | variables)


def test_the_sdk_makes_no_tries_of_its_own() -> None:
    with model_client(settings(OPENAI_API_KEY="sk-1")) as client:
        assert (client.max_retries, client.api_key) == (0, "sk-1")
        assert str(client.base_url) == "https://api.openai.com/v1/"


def test_a_server_of_ones_own_needs_no_key() -> None:
    with model_client(settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1")) as client:
        assert isinstance(client, openai.OpenAI)
        assert str(client.base_url) == "http://127.0.0.1:9/v1/"


def test_a_reranking_server_is_never_sent_the_key_for_openai() -> None:
    given = settings(OPENAI_API_KEY="sk-1", RERANK="endpoint", RERANK_URL="http://127.0.0.1:9/v2")
    with rerank_client(given) as client:
        assert (client.api_key, str(client.base_url)) == ("none", "http://127.0.0.1:9/v2/")
    with rerank_client(given.model_copy(update={"rerank_api_key": SecretStr("rr-1")})) as client:
        assert client.api_key == "rr-1"
