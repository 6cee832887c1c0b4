"""Which kind of vectors the index holds live: it may go over to another embedding model while it is in use."""

from dataclasses import dataclass

from psycopg import Connection

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.errors import IndexChanged


@dataclass(frozen=True, slots=True)
class IndexKind:
    embedding_model: str
    dimensions: int


class LiveKind:
    """The live kind, asked for once, until told that it changed. ``get`` may raise what Database.run raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kind: IndexKind | None = None

    def get(self, *, deadline: Deadline) -> IndexKind:
        if self._kind is None:
            self._kind = self._database.run(live_kind, deadline=deadline)
        return self._kind

    def forget(self) -> None:
        self._kind = None


def live_kind(connection: Connection) -> IndexKind:
    row = connection.execute("SELECT embedding_model, dimensions FROM bucketwise.index_kind()").fetchone()
    if row is None:
        raise IndexChanged("the index does not say what its vectors are of")
    return IndexKind(*row)
