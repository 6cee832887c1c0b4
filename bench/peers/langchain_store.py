"""LangChain's store, with the column, the index and the fusion that its hybrid search has by default."""

import psycopg
from langchain_postgres import PGEngine, PGVectorStore
from langchain_postgres.v2.hybrid_search_config import HybridSearchConfig
from langchain_postgres.v2.indexes import HNSWIndex, HNSWQueryOptions

from bench.peers.asking import DIMENSIONS, Task, answer, read_task

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
    engine = PGEngine.from_connection_string(f"postgresql+asyncpg://{task.place}")
    is_new = not _exists(task)
    if is_new:
        engine.init_vectorstore_table(TABLE, DIMENSIONS, hybrid_search_config=_hybrid(task))
        _run(task, FILL)
    model = KnownVector()
    store = PGVectorStore.create_sync(
        engine,
        embedding_service=model,
        table_name=TABLE,
        index_query_options=HNSWQueryOptions(ef_search=task.ef_search),
        hybrid_search_config=_hybrid(task),
    )
    if is_new:
        store.apply_vector_index(HNSWIndex())
        store.apply_hybrid_search_index()
        _run(task, f"VACUUM (ANALYZE) {TABLE}")

    def search(text: str, vector: list[float]) -> int:
        model.vector = vector
        # A configuration of its own for each: the store's own keeps the first question's words.
        return len(store.similarity_search(text, k=task.limit, hybrid_search_config=_hybrid(task)))

    answer(task, search)


def _hybrid(task: Task) -> HybridSearchConfig:
    return HybridSearchConfig(tsv_column=COLUMN, primary_top_k=task.limit, secondary_top_k=task.limit)


def _exists(task: Task) -> bool:
    with psycopg.connect(f"postgresql://{task.place}") as connection:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (TABLE,)).fetchone()
    return row is not None and bool(row[0])


def _run(task: Task, statement: str) -> None:
    with psycopg.connect(f"postgresql://{task.place}", autocommit=True) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
