"""A server that is a reader, in recovery, as the old writer of a cluster is after a failover."""

import os

import psycopg

from local.postgres import Postgres


def begin_again_as_standby(postgres: Postgres) -> None:
    """Without anybody that it follows: it has what it had."""
    postgres.kill()
    signal = postgres.data / "standby.signal"
    signal.touch()
    owner = postgres.data.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)
    postgres.restart()


def promote(postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as superuser:
        assert superuser.execute("SELECT pg_promote()").fetchone() == (True,)
