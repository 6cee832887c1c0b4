"""A small model server for one machine: OpenAI's HTTP wire format, and Cohere's for reranking, without a key and
without network.

Embeddings come from weights that ship inside the ``wordllama`` package. Answers are extracted from the
passages of the prompt: a stand-in for a language model, not a language model. It imports nothing of
the product, so it can only be reached as any other vendor is: over HTTP.
"""
