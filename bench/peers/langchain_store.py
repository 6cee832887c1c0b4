"""LangChain's store, with the column, the index and the fusion that its hybrid search has by default."""

import psycopg
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGEngine, PGVectorStore
from langchain_postgres.v2.hybrid_search_config import HybridSearchConfig
from langchain_postgres.v2.indexes import HNSWIndex, HNSWQueryOptions

from bench.peers.asking import DIMENSIONS, answer, read_task

TABLE = "langchain_passages"
COLUMN = "content_tsv"
FILL = """
    INSERT INTO langchain_passages (langchain_id, content, embedding, content_tsv, langchain_metadata)
    SELECT gen_random_uuid(), text, embedding::vector, to_tsvector('pg_catalog.english', text),
        json_build_object('key', key, 'ordinal', ordinal)
    FROM passages"""


class KnownVector:
    """Stands where the embedding model does, and takes no time."""

    vector: list[float]

    async def aembed_query(self, text: str) -> list[float]:  # noqa: ARG002
        return self.vector

    def embed_query(self, text: str) -> list[float]:  # noqa: ARG002
        return self.vector


def main() -> None:
    task = read_task()
    model = KnownVector()
    store = open_store(task.place, model, limit=task.limit, ef_search=task.ef_search)

    def search(text: str, vector: list[float]) -> int:
        model.vector = vector
        # A configuration of its own for each: the store's own keeps the first question's words.
        return len(store.similarity_search(text, k=task.limit, hybrid_search_config=hybrid(task.limit)))

    answer(task, search)


def open_store(place: str, model: Embeddings, *, limit: int, ef_search: int) -> PGVectorStore:
    """The first time, it makes and fills its table."""
    engine = PGEngine.from_connection_string(f"postgresql+asyncpg://{place}")
    is_new = not _exists(place)
    if is_new:
        engine.init_vectorstore_table(TABLE, DIMENSIONS, hybrid_search_config=hybrid(limit))
        _run(place, FILL)
    store = PGVectorStore.create_sync(
        engine,
        embedding_service=model,
        table_name=TABLE,
        index_query_options=HNSWQueryOptions(ef_search=ef_search),
        hybrid_search_config=hybrid(limit),
    )
    if is_new:
        store.apply_vector_index(HNSWIndex())
        store.apply_hybrid_search_index()
        _run(place, f"VACUUM (ANALYZE) {TABLE}")
    return store


def hybrid(limit: int) -> HybridSearchConfig:
    return HybridSearchConfig(tsv_column=COLUMN, primary_top_k=limit, secondary_top_k=limit)


def _exists(place: str) -> bool:
    with psycopg.connect(f"postgresql://{place}") as connection:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (TABLE,)).fetchone()
    return row is not None and bool(row[0])


def _run(place: str, statement: str) -> None:
    with psycopg.connect(f"postgresql://{place}", autocommit=True) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
