"""Where a citation's link leads: to a host that takes its signature."""

from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ask import composition
from bucketwise import aws_clients
from bucketwise.settings import Settings

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*ENDPOINTS, "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    _forget()
    yield
    _forget()


def _forget() -> None:
    aws_clients.session.cache_clear()
    composition.link_maker.cache_clear()


def link(monkeypatch: pytest.MonkeyPatch, bucket: str = "documents", **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    given = Settings.from_environment({"DATABASE_URL": "postgresql://nowhere.test", "BUCKET": bucket})
    monkeypatch.setattr(composition, "settings", lambda: given)
    made = composition.link_maker()("a b/ä.md", "v1")
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "documents.s3.amazonaws.com"),
        ("eu-central-1", "documents.s3.eu-central-1.amazonaws.com"),
        ("ap-south-2", "documents.s3.ap-south-2.amazonaws.com"),
        ("cn-north-1", "documents.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_a_link_leads_to_the_host_of_the_buckets_region(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    parts = urlsplit(link(monkeypatch, AWS_DEFAULT_REGION=region))
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.hostname, unquote(parts.path)) == ("https", host, "/a b/ä.md")
    assert (query["versionId"], query["X-Amz-Expires"]) == (["v1"], ["900"])
    assert f"/{region}/s3/" in query["X-Amz-Credential"][0]


def test_a_bucket_with_dots_in_its_name_has_no_host_that_a_certificate_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(link(monkeypatch, "docs.example.com", AWS_DEFAULT_REGION="eu-central-1"))
    assert parts.hostname == "s3.eu-central-1.amazonaws.com"
    assert unquote(parts.path) == "/docs.example.com/a b/ä.md"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "http://storage:9000", "https://s3.example.com"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_server_of_ones_own_is_asked_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str
) -> None:
    made = link(monkeypatch, **{name: endpoint})
    assert made.startswith(f"{endpoint}/documents/a%20b/")


def test_an_empty_endpoint_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made = link(monkeypatch, AWS_ENDPOINT_URL="", AWS_DEFAULT_REGION="eu-central-1")
    assert urlsplit(made).hostname == "documents.s3.eu-central-1.amazonaws.com"
