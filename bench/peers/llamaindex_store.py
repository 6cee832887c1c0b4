"""LlamaIndex's store with half precision, which is the quicker of the two that it offers."""

import json

import psycopg
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from llama_index.core.vector_stores.utils import node_to_metadata_dict
from llama_index.vector_stores.postgres import PGVectorStore

from bench.peers.asking import DIMENSIONS, answer, read_task

TABLE = "llamaindex_passages"
ID = "the id of a node"
FILL = """
    INSERT INTO data_llamaindex_passages (text, metadata_, node_id, embedding)
    SELECT text, replace(%s, %s, id::text)::json, id::text, embedding FROM passages ORDER BY id"""
INDEX = {"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_dist_method": "halfvec_cosine_ops"}


def main() -> None:
    task = read_task()
    store = open_store(task.place, ef_search=task.ef_search)

    def search(text: str, vector: list[float]) -> int:
        query = VectorStoreQuery(
            query_embedding=vector,
            query_str=text,
            similarity_top_k=task.limit,
            sparse_top_k=task.limit,
            mode=VectorStoreQueryMode.HYBRID,
        )
        return len(store.query(query).nodes or ())

    answer(task, search)


def open_store(place: str, *, ef_search: int) -> PGVectorStore:
    """The first time, it makes and fills its table."""
    index = INDEX | {"hnsw_ef_search": ef_search}
    with psycopg.connect(f"postgresql://{place}", autocommit=True) as connection:
        if connection.execute("SELECT to_regclass(%s)", (f"data_{TABLE}",)).fetchone() == (None,):
            _store(place, None).delete("nothing")  # makes the table, on first use
            like = node_to_metadata_dict(TextNode(id_=ID, text=""), remove_text=True, flat_metadata=False)
            connection.execute(FILL.encode(), (json.dumps(like), ID))
            _store(place, index).delete("nothing")  # makes the index
            connection.execute(f"VACUUM (ANALYZE) data_{TABLE}".encode())
    return _store(place, index)


def _store(place: str, index: dict[str, object] | None) -> PGVectorStore:
    return PGVectorStore.from_params(
        connection_string=f"postgresql+psycopg2://{place}",
        async_connection_string=f"postgresql+asyncpg://{place}",
        table_name=TABLE,
        hybrid_search=True,
        use_halfvec=True,
        embed_dim=DIMENSIONS,
        hnsw_kwargs=index,
    )


if __name__ == "__main__":
    main()
