"""Every setting of Bucketwise: read once from the environment, checked, and frozen."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from bucketwise.callers import callers_from_json
from bucketwise.errors import InvalidSettings

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

# An input of OpenAI's embeddings API may hold 8,192 tokens (its API reference, "Create embeddings").
EMBEDDING_INPUT_TOKENS = 8192
# A daily budget above these is a slip of the keyboard.
MOST_TOKENS = 1_000_000_000_000
MOST_USD = 1_000_000


def _callers(text: str) -> str:
    callers_from_json(text)
    return text


class Environment(BaseModel):
    """One field for each environment variable of the same name in capitals; an empty one counts as unset."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidSettings naming each wrong variable, and never a value: one of them is a key."""
        given = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = "; ".join(
                f"{str(problem['loc'][0]).upper()}: {problem['msg']}" if problem["loc"] else problem["msg"]
                for problem in error.errors(include_input=False, include_url=False)
            )
            raise InvalidSettings(wrong) from None


class Settings(Environment):
    """Those of every function that works on the index. Defaults suit OpenAI.

    The README's table of settings is checked against this model.
    """

    database_url: SecretStr = SecretStr("")
    database_host: str = ""
    database_port: int = Field(default=5432, ge=1, le=65_535)
    database_name: Text = "bucketwise"
    database_user: Text = "bucketwise"
    database_auth: Literal["iam", "secret"] = "iam"
    database_secret: str = ""
    database_ca: str = ""
    bucket: Text = "bucketwise-documents"
    prefix: str = Field(default="", max_length=1024)
    queue_url: str = ""
    tenant: Text = "default"
    tenant_folders: bool = False
    callers: Annotated[str, AfterValidator(_callers)] = ""

    openai_api_key: SecretStr = SecretStr("")
    openai_api_key_secret: str = ""
    openai_base_url: str = Field(default="", repr=False)  # a URL may hold a password, too
    embedding_model: Text = "text-embedding-3-small"
    # pgvector's HNSW index takes a halfvec of up to 4,000 dimensions (its README, "HNSW").
    embedding_dimensions: int = Field(default=1536, ge=1, le=4000)
    vector_index: Literal["auto", "halfvec", "binary"] = "auto"
    embedding_batch_tokens: int = Field(default=50_000, ge=EMBEDDING_INPUT_TOKENS, le=300_000)
    embedding_concurrency: int = Field(default=4, ge=1, le=32)
    answer_model: Text = "gpt-4.1-mini"
    answer_tokens: int = Field(default=800, ge=16, le=16_384)
    answer_format: Literal["auto", "json_schema", "text"] = "auto"
    rewrite_model: str = ""

    chunk_tokens: int = Field(default=180, ge=16, le=EMBEDDING_INPUT_TOKENS)
    chunk_overlap_tokens: int = Field(default=0, ge=0)
    language: Annotated[str, StringConstraints(pattern="^([a-z]{2})?$")] = "en"
    max_document_bytes: int = Field(default=100_000_000, ge=1)
    max_document_tokens: int = Field(default=20_000_000, ge=1)
    tag_objects: bool = False

    top_k: int = Field(default=8, ge=1, le=50)
    search_depth: int = Field(default=100, ge=50, le=1000)
    keyword_weight: float = Field(default=0.6, ge=0, le=1)
    keyword_normalisation: Literal["max", "min_max"] = "max"
    bm25_k1: float = Field(default=0.9, ge=0, le=10)
    bm25_b: float = Field(default=0.4, ge=0, le=1)
    min_cosine: float = Field(default=0.3, ge=-1, le=1)
    min_coverage: float = Field(default=0.4, ge=0, le=1)
    min_document_fit: float = Field(default=0.0, ge=0, le=1)
    rerank: Literal["off", "endpoint", "model"] = "off"
    rerank_url: str = Field(default="", repr=False)
    rerank_model: str = ""
    rerank_api_key: SecretStr = SecretStr("")
    rerank_api_key_secret: str = ""
    rerank_candidates: int = Field(default=50, ge=2, le=200)
    near_duplicate_share: float = Field(default=0, ge=0, le=1)
    max_per_document: int = Field(default=0, ge=0, le=50)
    neighbours: int = Field(default=1, ge=0, le=5)
    max_context_tokens: int = Field(default=6000, ge=100, le=1_000_000)
    link_seconds: int = Field(default=900, ge=0, le=604_800)
    budget_caller_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    budget_caller_usd: float = Field(default=0, ge=0, le=MOST_USD)
    budget_tenant_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    budget_tenant_usd: float = Field(default=0, ge=0, le=MOST_USD)
    answer_cache_seconds: int = Field(default=86_400, ge=0, le=2_592_000)

    @property
    def tenants_of_callers(self) -> Mapping[str, str]:
        """By the ARN of a role without its path, or of a user. Empty: all callers are of ``tenant``."""
        return callers_from_json(self.callers)

    @property
    def whole_document_tokens(self) -> int:
        """A document that has no more is one chunk."""
        return min(2 * self.chunk_tokens, EMBEDDING_INPUT_TOKENS)

    @model_validator(mode="after")
    def _overlap_is_smaller_than_a_chunk(self) -> Self:
        if self.chunk_overlap_tokens >= self.chunk_tokens:
            raise ValueError("CHUNK_OVERLAP_TOKENS must be less than CHUNK_TOKENS")
        return self

    @model_validator(mode="after")
    def _folders_begin_behind_a_slash(self) -> Self:
        if self.tenant_folders and self.prefix and not self.prefix.endswith("/"):
            raise ValueError("PREFIX must end with a slash with TENANT_FOLDERS: folders below it are tenants")
        return self

    @model_validator(mode="after")
    def _one_database_is_named(self) -> Self:
        if not self.database_url.get_secret_value() and not self.database_host:
            raise ValueError("DATABASE_URL or DATABASE_HOST is needed")
        if self.database_auth == "secret" and self.database_host and not self.database_secret:
            raise ValueError("DATABASE_SECRET is needed with DATABASE_AUTH=secret")
        return self

    @model_validator(mode="after")
    def _a_reranker_is_named(self) -> Self:
        if self.rerank == "endpoint" and not self.rerank_url:
            raise ValueError("RERANK_URL is needed with RERANK=endpoint")
        return self
