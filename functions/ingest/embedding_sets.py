"""The tables of vectors, one for each embedding model and dimension that the index holds vectors of."""

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row

from bucketwise.database import Database
from bucketwise.deadline import Deadline
from bucketwise.index_kind import IndexKind

LIVE_TABLE = "embeddings"
# A switch waits for those who read and write; while it waits, all who come after it wait too.
LOCK_SECONDS = 3

MISSING = """
    SELECT DISTINCT ON (c.text_sha256) c.text_sha256, c.text, c.tokens FROM bucketwise.chunks c
    WHERE c.tenant = %(tenant)s AND c.text_sha256 > %(after)s
      AND NOT EXISTS (SELECT FROM {table} e WHERE e.tenant = c.tenant AND e.text_sha256 = c.text_sha256)
    ORDER BY c.text_sha256 LIMIT %(most)s"""

ANY_MISSING = """
    SELECT EXISTS (
        SELECT FROM bucketwise.chunks c
        WHERE NOT EXISTS (SELECT FROM {table} e WHERE e.tenant = c.tenant AND e.text_sha256 = c.text_sha256))"""

CONSTRAINT = sql.Identifier("chunks_have_vectors")


@dataclass(frozen=True, slots=True)
class MissingText:
    """A text of a chunk that has no vector in a set; ``tokens`` is the chunk's count."""

    text_sha256: bytes
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class EmbeddingSets:
    """For the schema's owner alone. Every method may raise what Database.run raises."""

    database: Database

    def live(self, *, deadline: Deadline) -> IndexKind:
        return self.database.run(_live, deadline=deadline)

    def prepare(self, kind: IndexKind, vector_index: str, *, deadline: Deadline) -> str:
        """The name of the kind's table, which is made if it was not there."""

        def make(connection: Connection) -> str:
            if _live(connection) == kind:
                return LIVE_TABLE
            row = connection.execute(
                """INSERT INTO bucketwise.embedding_sets (embedding_model, dimensions, vector_index)
                   VALUES (%(model)s, %(size)s, bucketwise.vector_index_for(%(index)s, %(size)s))
                   ON CONFLICT (embedding_model, dimensions) DO NOTHING RETURNING id, vector_index""",
                {"model": kind.embedding_model, "size": kind.dimensions, "index": vector_index},
            ).fetchone()
            if row is None:
                return _table_of(connection, kind)
            connection.execute(
                "SELECT bucketwise.make_embeddings(%s, %s, %s)", (_name(row[0]), kind.dimensions, row[1])
            )
            return _name(row[0])

        return self.database.run(make, deadline=deadline)

    def tenants(self, *, deadline: Deadline) -> list[str]:
        return self.database.run(
            lambda connection: [
                row[0] for row in connection.execute("SELECT DISTINCT tenant FROM bucketwise.chunks ORDER BY tenant")
            ],
            deadline=deadline,
        )

    def missing(self, table: str, tenant: str, *, after: bytes, most: int, deadline: Deadline) -> list[MissingText]:
        """At most ``most`` texts of the tenant's chunks without a vector in ``table``, in the order of digests."""

        def read(connection: Connection) -> list[MissingText]:
            with connection.cursor(row_factory=class_row(MissingText)) as cursor:
                return cursor.execute(
                    _with_table(MISSING, table), {"tenant": tenant, "after": after, "most": most}
                ).fetchall()

        return self.database.run(read, deadline=deadline)

    def switch(self, kind: IndexKind, *, deadline: Deadline) -> bool:
        """Makes ``kind`` the live one, in one transaction; False if a text was still without a vector.

        Raises DeadlineExceeded when others held the tables for too long: worth another try.
        """

        def go_over(connection: Connection) -> bool:
            old = _live(connection)
            if old == kind:
                return True
            table = _table_of(connection, kind)
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{LOCK_SECONDS}s",))
            # Whoever writes chunks waits from here on; whoever searches does not.
            connection.execute("LOCK TABLE bucketwise.chunks IN EXCLUSIVE MODE")
            if _holds(connection.execute(_with_table(ANY_MISSING, table))):
                return False
            # In the order in which a search takes them.
            connection.execute("LOCK TABLE bucketwise.chunks, bucketwise.embeddings IN ACCESS EXCLUSIVE MODE")
            _rename(connection, LIVE_TABLE, _name(_id_of(connection, old)))
            _rename(connection, table, LIVE_TABLE)
            _refer_to_live(connection)
            connection.execute(
                """UPDATE bucketwise.index_settings i
                   SET embedding_model = s.embedding_model, dimensions = s.dimensions, vector_index = s.vector_index
                   FROM bucketwise.embedding_sets s WHERE s.embedding_model = %s AND s.dimensions = %s""",
                (kind.embedding_model, kind.dimensions),
            )
            connection.execute(
                "SELECT bucketwise.make_nearest(dimensions, vector_index) FROM bucketwise.index_settings"
            )
            return True

        return self.database.run(go_over, deadline=deadline)

    def validate(self, *, deadline: Deadline) -> None:
        """Has PostgreSQL itself see that every chunk has a vector. Nobody waits for it."""
        self.database.run(
            lambda connection: connection.execute(
                sql.SQL("ALTER TABLE bucketwise.chunks VALIDATE CONSTRAINT {name}").format(name=CONSTRAINT)
            ),
            deadline=deadline,
        )

    def drop_others(self, *, deadline: Deadline) -> int:
        """Drops every set but the live one; how many."""

        def drop(connection: Connection) -> int:
            rows = connection.execute(
                """DELETE FROM bucketwise.embedding_sets s USING bucketwise.index_settings i
                   WHERE (s.embedding_model, s.dimensions) <> (i.embedding_model, i.dimensions) RETURNING s.id"""
            ).fetchall()
            for (number,) in rows:
                connection.execute(_with_table("DROP TABLE {table}", _name(number)))
            return len(rows)

        return self.database.run(drop, deadline=deadline)


def _name(number: int) -> str:
    return f"{LIVE_TABLE}_{number}"


def _id_of(connection: Connection, kind: IndexKind) -> int:
    row = connection.execute(
        "SELECT id FROM bucketwise.embedding_sets WHERE embedding_model = %s AND dimensions = %s",
        (kind.embedding_model, kind.dimensions),
    ).fetchone()
    if row is None:
        raise LookupError("a set of vectors that was prepared is gone")
    return int(row[0])


def _table_of(connection: Connection, kind: IndexKind) -> str:
    return _name(_id_of(connection, kind))


def _live(connection: Connection) -> IndexKind:
    row = connection.execute("SELECT embedding_model, dimensions FROM bucketwise.index_settings").fetchone()
    if row is None:
        raise LookupError("the index does not say what its vectors are of")
    return IndexKind(*row)


def _holds(cursor: psycopg.Cursor[tuple[object, ...]]) -> bool:
    row = cursor.fetchone()
    return row is not None and bool(row[0])


def _with_table(query: LiteralString, table: str) -> sql.Composed:
    return sql.SQL(query).format(table=sql.Identifier("bucketwise", table))


def _rename(connection: Connection, table: str, name: str) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {table} RENAME TO {name}").format(
            table=sql.Identifier("bucketwise", table), name=sql.Identifier(name)
        )
    )


def _refer_to_live(connection: Connection) -> None:
    """Moves the foreign key of chunks. What is there was just seen to have vectors, so it is not checked again."""
    connection.execute(
        sql.SQL(
            """ALTER TABLE bucketwise.chunks DROP CONSTRAINT {name}, ADD CONSTRAINT {name}
               FOREIGN KEY (tenant, text_sha256) REFERENCES bucketwise.embeddings (tenant, text_sha256) NOT VALID"""
        ).format(name=CONSTRAINT)
    )
