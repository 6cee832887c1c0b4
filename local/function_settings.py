"""The environment variables that the twin gives to the functions, as the template does in a stack."""

import hashlib
from collections.abc import Mapping

from bucketwise.settings import Settings
from local.storage.client import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

# What the local model server offers, and what suits its models: a relevance floor, and a weight for the words.
LOCAL_MODELS = {
    "EMBEDDING_MODEL": "wordllama-256",
    "EMBEDDING_DIMENSIONS": "256",
    "ANSWER_MODEL": "extractive",
    "MIN_COSINE": "0.4",
    "MIN_DOCUMENT_FIT": "0.5",
    "KEYWORD_WEIGHT": "0.7",
}
LOCAL_RERANKER = "wordllama-rerank"


def wants_own_model(environment: Mapping[str, str]) -> bool:
    """Whether the user named a model's server, or has a key for OpenAI's."""
    return bool(environment.get("OPENAI_API_KEY") or environment.get("OPENAI_BASE_URL"))


def model_settings(environment: Mapping[str, str], local_url: str | None) -> dict[str, str]:
    """The user's own settings, over those of the local model server if that is used."""
    mine = {name.upper() for name in Settings.model_fields if not name.startswith("database_")} - {
        "BUCKET",
        "QUEUE_URL",
    }
    given = {name: environment[name] for name in mine if environment.get(name)}
    if local_url is None:
        return given
    reranker = {}
    if given.get("RERANK") == "endpoint" and "RERANK_URL" not in given:
        reranker = {"RERANK_URL": local_url, "RERANK_MODEL": LOCAL_RERANKER}
    return LOCAL_MODELS | reranker | given | {"OPENAI_BASE_URL": local_url}


def with_defaults(models: Mapping[str, str]) -> Settings:
    """All settings as a function would see them that has ``models`` in its environment. Raises InvalidSettings."""
    return Settings.from_environment({**models, "DATABASE_URL": "not asked for here"})


def database_name(settings: Settings) -> str:
    """Each embedding model and dimension has a database of its own: one index cannot hold vectors of two."""
    kind = f"{settings.embedding_model} {settings.embedding_dimensions}"
    return f"bucketwise_{hashlib.sha256(kind.encode()).hexdigest()[:8]}"


def lambda_environment(*, storage_url: str) -> dict[str, str]:
    """What Lambda and the template set beside the settings of the project itself."""
    return {
        "AWS_ENDPOINT_URL": storage_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_TRACER_CAPTURE_RESPONSE": "false",
        "POWERTOOLS_TRACER_CAPTURE_ERROR": "false",
        "POWERTOOLS_LOGGER_LOG_EVENT": "false",
    }
