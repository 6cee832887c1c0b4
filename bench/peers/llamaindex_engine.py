"""A LlamaIndex query engine over its store: hybrid retriever -> its own prompt -> chat model."""

from llama_index.core import VectorStoreIndex
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

from bench.peers.asking import DIMENSIONS, read_service, serve
from bench.peers.llamaindex_store import open_store


def main() -> None:
    service = read_service()
    embeddings = OpenAIEmbedding(
        model="text-embedding-3-small", dimensions=DIMENSIONS, api_base=service.models, api_key="none"
    )
    index = VectorStoreIndex.from_vector_store(
        open_store(service.place, ef_search=service.ef_search), embed_model=embeddings
    )
    engine = index.as_query_engine(
        llm=OpenAI(model="gpt-4.1-mini", api_base=service.models, api_key="none"),
        vector_store_query_mode="hybrid",
        similarity_top_k=service.limit,
        sparse_top_k=service.limit,
    )
    serve(lambda question: str(engine.query(question)))


if __name__ == "__main__":
    main()
