"""The HTTP contract of documents' receipts."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from ask.documents import ListedState


class WaitingOut(BaseModel):
    since: datetime = Field(description="When it was first put off, or found to differ from the bucket")
    tries: int = Field(description="How often it was put off since")
    reason: str = Field(description="What the last try failed with, or `reconcile`: found to differ from the bucket")
    next_try: datetime


class DocumentOut(BaseModel):
    key: str
    state: ListedState = Field(description="`queued`: waiting to be looked at for the first time")
    reason: str | None = Field(description="Why indexing failed")
    hint: str | None = Field(description="What helps against that")
    version: str | None = Field(description="S3's id of the version that was indexed, or failed")
    size: int | None = Field(description="In bytes")
    content_type: str | None
    last_modified: datetime | None = Field(description="When the version was stored in the bucket")
    metadata: dict[str, Any] = Field(description="Of the object in S3, and of its sidecar, which goes before")
    title: str | None
    author: str | None = Field(description="Of whom the file says that it is")
    created: datetime | None = Field(description="When the file says that it was made")
    modified: datetime | None = Field(description="When the file says that it was last changed")
    read_as: str | None = Field(description="The kind of file, by its content; null if it was not indexed")
    pages: int | None
    skipped: list[str] = Field(description="Pages or parts whose text is missing, and why; the rest is searchable")
    chunks: int
    tokens: int = Field(description="In all chunks together")
    embedded: int = Field(description="Chunks that were embedded for this version")
    reused: int = Field(description="Chunks whose text had been embedded before")
    embedding_tokens: int = Field(description="That were paid for")
    cost_usd: float | None = Field(description="What they cost; null if the price of the model is not known")
    seconds_to_searchable: float | None = Field(description="From the version's storing in the bucket to its commit")
    updated_at: datetime | None = Field(description="When the state last changed; null while queued")
    waiting: WaitingOut | None = Field(description="Set while the object waits in the queue to be looked at again")
    chunks_stored: int | None = Field(description="Counted now in the index; with `?key=` only")
    vectors_stored: int | None = Field(
        description="Counted now in the index: vectors of the document's texts, also of those it had once and that "
        "no other document has; with `?key=` only"
    )


class DocumentsResponse(BaseModel):
    documents: list[DocumentOut]
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one")
    corpus_version: int
