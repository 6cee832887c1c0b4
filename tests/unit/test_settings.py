"""Settings are read once, checked together, and never shown."""

import traceback

import pydantic
import pytest

from bucketwise.errors import InvalidSettings
from bucketwise.settings import Settings

SECRET = "hunter2"
URL = f"postgresql://ask:{SECRET}@db/bucketwise"


def read(**variables: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": URL} | variables)


def refusal(**variables: str) -> str:
    with pytest.raises(InvalidSettings) as raised:
        read(**variables)
    return "".join(traceback.format_exception(raised.value))


def test_a_database_is_all_that_must_be_given() -> None:
    assert read().database_url.get_secret_value() == URL
    with pytest.raises(InvalidSettings, match="DATABASE_URL or DATABASE_HOST"):
        Settings.from_environment({})


def test_variables_of_others_are_not_read() -> None:
    assert read(PATH="/bin", TOP_KK="x", top_k="3").top_k == Settings.model_fields["top_k"].default


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_an_empty_variable_counts_as_unset(name: str) -> None:
    given = Settings.from_environment({"DATABASE_URL": URL, "DATABASE_HOST": "db.test"} | {name.upper(): ""})
    assert getattr(given, name) == Settings.model_fields[name].default


def test_an_empty_database_url_is_a_missing_one() -> None:
    assert "DATABASE_URL or DATABASE_HOST" in refusal(DATABASE_URL="")


def test_a_database_may_be_named_by_its_host() -> None:
    assert read(DATABASE_URL="", DATABASE_HOST="db.test").database_host == "db.test"


def test_a_login_by_secret_needs_the_secret() -> None:
    assert "DATABASE_SECRET" in refusal(DATABASE_URL="", DATABASE_HOST="db.test", DATABASE_AUTH="secret")
    named = read(DATABASE_URL="", DATABASE_HOST="db.test", DATABASE_AUTH="secret", DATABASE_SECRET="bucketwise/db")
    assert named.database_secret == "bucketwise/db"


def test_a_reranking_server_needs_its_address_and_a_chat_model_none() -> None:
    assert "RERANK_URL" in refusal(RERANK="endpoint")
    assert read(RERANK="endpoint", RERANK_URL="https://rerank.test/v2").rerank_url == "https://rerank.test/v2"
    assert read(RERANK="model").rerank_model == ""
    assert "RERANK: " in refusal(RERANK="yes")


def test_another_way_to_log_in_is_refused() -> None:
    told = refusal(DATABASE_AUTH=SECRET)
    assert "DATABASE_AUTH: " in told
    assert SECRET not in told


def test_every_wrong_variable_is_named() -> None:
    told = refusal(TOP_K="many", MIN_COSINE="2", EMBEDDING_DIMENSIONS="4001", BUCKET="  ", DATABASE_PORT="0")
    for name in ("TOP_K", "MIN_COSINE", "EMBEDDING_DIMENSIONS", "BUCKET", "DATABASE_PORT"):
        assert f"{name}: " in told


NUMBERS = sorted(name for name, field in Settings.model_fields.items() if field.annotation in {int, float})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [SECRET, "nan", "-99999999999", "1;2"])
def test_a_number_that_is_none_or_out_of_bounds_is_refused_by_name_alone(name: str, value: str) -> None:
    told = refusal(**{name.upper(): value})
    assert name.upper() in told
    assert value not in told


@pytest.mark.parametrize("overlap", ["400", "401"])
def test_an_overlap_as_long_as_a_chunk_is_refused(overlap: str) -> None:
    assert "CHUNK_OVERLAP_TOKENS" in refusal(CHUNK_TOKENS="400", CHUNK_OVERLAP_TOKENS=overlap)


def test_an_overlap_just_below_a_chunk_is_taken() -> None:
    assert read(CHUNK_TOKENS="400", CHUNK_OVERLAP_TOKENS="399").chunk_overlap_tokens == 399


def test_secrets_are_in_no_representation_and_no_error() -> None:
    given = read(OPENAI_API_KEY=f"sk-{SECRET}", RERANK_API_KEY=f"rr-{SECRET}")
    assert given.openai_api_key.get_secret_value() == f"sk-{SECRET}"
    assert given.rerank_api_key.get_secret_value() == f"rr-{SECRET}"
    assert SECRET not in f"{given!r} {given} {given.model_dump()}"
    assert SECRET not in refusal(OPENAI_API_KEY=f"sk-{SECRET}", TOP_K="0", BUCKET=" ", CHUNK_OVERLAP_TOKENS="x")


def test_settings_do_not_change() -> None:
    with pytest.raises(pydantic.ValidationError):
        read().top_k = 3


def test_white_space_around_a_name_is_not_part_of_it() -> None:
    assert read(BUCKET=" papers\n").bucket == "papers"
