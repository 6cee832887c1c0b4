"""An index in the twin's PostgreSQL, made as the migrate function makes it in a stack."""

from dataclasses import dataclass

import psycopg

from bucketwise.migrations import migrate, prepare_database
from local.postgres import Postgres


@dataclass(frozen=True, slots=True)
class IndexUrls:
    """Where each function connects to, as a role of its own."""

    ingest: str
    ask: str


def create_index(
    postgres: Postgres, name: str, *, embedding_model: str, dimensions: int, vector_index: str = "auto"
) -> IndexUrls:
    """Makes the database ``name`` with an up-to-date schema, or brings the one there is up to date."""
    postgres.create_database(name)
    with psycopg.connect(postgres.dsn("postgres", name), autocommit=True) as administrator:
        prepare_database(administrator)
        administrator.execute("SET ROLE bucketwise_migrate")
        migrate(administrator, embedding_model=embedding_model, dimensions=dimensions, vector_index=vector_index)
    return IndexUrls(postgres.dsn("bucketwise_ingest", name), postgres.dsn("bucketwise_ask", name))
