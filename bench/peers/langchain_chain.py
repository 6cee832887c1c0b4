"""A LangChain retrieval chain: hybrid retriever -> prompt -> chat model -> text."""

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from bench.peers.asking import DIMENSIONS, read_service, serve
from bench.peers.langchain_store import hybrid, open_store

PROMPT = """Answer the question from these passages only.

{passages}

Question: {question}"""


def main() -> None:
    service = read_service()
    # Without the check, a text is sent as it is; with it, as tokens, whose table would have to be downloaded.
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small",
        dimensions=DIMENSIONS,
        base_url=service.models,
        api_key="none",
        check_embedding_ctx_length=False,
    )
    store = open_store(service.place, embeddings, limit=service.limit, ef_search=service.ef_search)
    retriever = store.as_retriever(search_kwargs={"k": service.limit})

    def passages(question: str) -> str:
        # A configuration of its own for each: the store's own keeps the first question's words.
        found: list[Document] = retriever.invoke(question, hybrid_search_config=hybrid(service.limit))
        return "\n\n".join(document.page_content for document in found)

    chain = (
        {"passages": RunnableLambda(passages), "question": RunnablePassthrough()}
        | ChatPromptTemplate.from_template(PROMPT)
        | ChatOpenAI(model="gpt-4.1-mini", base_url=service.models, api_key="none")
        | StrOutputParser()
    )
    serve(chain.invoke)


if __name__ == "__main__":
    main()
