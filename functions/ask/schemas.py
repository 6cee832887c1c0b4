"""The HTTP contract: what may be sent, and what is sent back. ``GET /openapi.json`` is made from it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from ask.filters import Filters, Key, Strict, storable

QUESTION_CHARACTERS = 4000


Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUESTION_CHARACTERS), storable
]


class HistoryTurn(Strict):
    question: Question
    answer: Annotated[str, StringConstraints(max_length=20_000), storable]


class UploadedVersion(Strict):
    """A version of one object, by the VersionId that S3 replied to its upload."""

    key: Key
    version: Annotated[str, StringConstraints(min_length=1, max_length=1024), storable]


class SearchRequest(Strict):
    question: Question
    filters: Filters = Filters()
    top_k: int | None = Field(default=None, ge=1, le=50)
    min_version: Annotated[int, Field(ge=0)] | UploadedVersion | None = Field(
        default=None,
        description="Answer only from an index at least this new: a `corpus_version`, or a version of one object. "
        "409 until then; 422 if that version was read and cannot be indexed",
    )


class AskRequest(SearchRequest):
    history: list[HistoryTurn] = Field(default_factory=list, max_length=20, fail_fast=True)
    explain: bool = False
    cache: bool = Field(default=True, description="Whether a kept answer will do; with `explain`, none is looked for")


class RetryRequest(Strict):
    """Either one document, or all that failed."""

    key: Key | None = None
    all_failed: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) == (not self.all_failed):
            raise ValueError("give either key or all_failed")
        return self


class PlaceOut(BaseModel):
    page: int | None = Field(description="Counts from 1; null in a document without pages")
    slide: int | None = Field(description="Of a presentation, counts from 1")
    sheet: str | None = Field(description="Of a workbook")
    rows: tuple[int, int] | None = Field(description="First and last row of a sheet or table, counting from 1")
    part: str | None = Field(description="The attachment or the file within an archive")
    heading: list[str] = Field(description="Headings above, outermost first")


class PassageOut(PlaceOut):
    key: str
    version: str | None
    title: str | None
    text: str
    start: int = Field(description="Offset of the text in the document's text, in characters")
    end: int
    score: float = Field(description="Of both legs together, 0..1; comparable within one reply")
    vector_rank: int | None = Field(description="Among what the vector leg found, counts from 1; null if it did not")
    cosine: float | None = Field(description="Similarity to the question; null if that could not be embedded")
    keyword_rank: int | None = Field(description="Among what the keyword leg found, counts from 1; null if it did not")
    keyword_score: float | None = Field(description="BM25; null if the keyword leg did not find the passage")
    coverage: float = Field(description="Share of the question's words in the passage, counted by how rare they are")
    rerank_rank: int | None = Field(
        description="Counts from 1; null if it was not reranked, or left out of the ranking"
    )
    rerank_score: float | None = Field(description="As the reranker gave it; null from a chat model, which gives none")


class CitationOut(PlaceOut):
    marker: int = Field(description="The number in square brackets in the answer")
    key: str
    version: str | None
    title: str | None
    quote: str = Field(description="The document's own words, found where the citation says")
    start: int = Field(description="Offset of the quote in the document's text, in characters")
    end: int
    url: str | None = Field(description="A link to exactly this version of the object, good for LINK_SECONDS")


class UsageOut(BaseModel):
    embedding_tokens: int
    rerank_tokens: int
    prompt_tokens: int = Field(description="Of all calls of chat models: to rewrite the question, to answer, to repair")
    completion_tokens: int
    usd: float | None = Field(description="null if the price of a model is not known")


class CandidateOut(PassageOut):
    became: Literal[
        "shown",
        "joined",
        "below_floor",
        "other_document",
        "near_duplicate",
        "crowded_out",
        "beyond_top_k",
        "over_budget",
    ] = Field(
        description="`shown` to the model, alone or `joined` to another passage; or left out: `below_floor` of "
        "relevance, of an `other_document` than the question names (MIN_DOCUMENT_FIT), a `near_duplicate` of a better "
        "one, `crowded_out` by others of its document, `beyond_top_k`, or `over_budget`, which is MAX_CONTEXT_TOKENS"
    )


class ModelUsageOut(BaseModel):
    step: Literal["rewrite", "embed", "rerank", "generate"]
    model: str
    input_tokens: int
    output_tokens: int
    usd: float | None


class ExplainOut(BaseModel):
    question: str = Field(description="As it was searched for and answered, after what the history says")
    filters: dict[str, Any] = Field(description="As the index was asked with them")
    prompt_version: str
    candidates: list[CandidateOut] = Field(description="All that search found, best first, and what became of them")
    near_duplicates: int = Field(description="Passages that were passed over as copies of better ones")
    crowded_out: int = Field(description="Passages that were passed over because their document had enough better ones")
    relevant: int = Field(description="How many passages were chosen above the relevance floor, up to top_k")
    in_prompt: int = Field(description="How many of those fitted into the prompt")
    quotes_dropped: int = Field(description="Quotations that were not in the passage the model named")
    models: list[ModelUsageOut] = Field(description="What each model was sent and sent back, in the order of the calls")
    trace_id: str | None = Field(description="Of X-Ray")


class SearchResponse(BaseModel):
    passages: list[PassageOut]
    degraded: bool = Field(description="A model failed: found by keywords alone, or not reranked")
    usage: UsageOut
    timings_ms: dict[str, float]
    corpus_version: int
    request_id: str


class SentenceOut(BaseModel):
    start: int = Field(description="Offset in the answer, in characters")
    end: int


class AnswerOut(BaseModel):
    """What is the same for whoever asks the same again, as long as no document changes."""

    answered: bool
    answer: str | None = Field(description="With markers like [1]; without links, images and markup")
    reason: Literal["nothing_relevant", "not_in_passages", "no_quote_verified", "model_failed"] | None
    missing: str | None = Field(description="Of `not_in_passages`: what the model says that the passages lack")
    citations: list[CitationOut]
    unsupported: list[SentenceOut] = Field(description="Sentences of the answer that no citation supports")
    passages: list[PassageOut] = Field(description="What was found, when there are passages but no answer")


class AskResponse(AnswerOut):
    degraded: bool = Field(description="A model failed: found by keywords alone, not reranked, or without an answer")
    usage: UsageOut
    timings_ms: dict[str, float]
    corpus_version: int
    cache: Literal["hit", "miss", "off"] = Field(
        description="Whether the answer was kept from an earlier question; `off` if none was looked for"
    )
    request_id: str
    explain: ExplainOut | None = None


class RetryResponse(BaseModel):
    queued: int


class HealthResponse(BaseModel):
    status: Literal["ok"]
    corpus_version: int | None = Field(description="Read from the database, with ?deep=1")


class WrongPartOut(BaseModel):
    where: str
    what: str


class ProblemOut(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(description="`urn:bucketwise:problem:` and a name")
    title: str
    status: int
    request_id: str
    errors: list[WrongPartOut] = Field(
        default=[], description="Of `invalid-request`: parts that are wrong, the first 20 of them"
    )
    further_errors: int | None = Field(
        default=None, description="Of `invalid-request`: how many more were found, if `errors` does not hold all"
    )
    reason: str | None = Field(default=None, description="Of `unreadable-document`: as in `GET /documents`")
    hint: str | None = Field(default=None, description="Of `unreadable-document`: as in `GET /documents`")
    scope: Literal["caller", "tenant"] | None = Field(default=None, description="Of `budget-exceeded`: whose limit")
    limit: Literal["tokens", "usd"] | None = Field(default=None, description="Of `budget-exceeded`: of what")
