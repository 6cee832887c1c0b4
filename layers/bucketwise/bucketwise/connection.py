"""How to reach PostgreSQL: by a URL, with an IAM token, or with a password from Secrets Manager."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from bucketwise.secrets_manager import read_login
from bucketwise.settings import Settings

CONNECT_SECONDS = 10
# Without a bound of its own, a dead connection holds a query until TCP gives up, after many minutes.
DEAD_AFTER_MILLISECONDS = 10_000
# Amazon's root certificates for RDS, of all regions.
RDS_ROOTS = Path(__file__).with_name("rds-roots.pem")


def open_connection(settings: Settings) -> Connection:
    """A new connection in autocommit mode. Raises psycopg.OperationalError, or SecretUnavailable."""
    where, options = connection_parameters(settings)
    return psycopg.connect(
        where,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=30,
        tcp_user_timeout=DEAD_AFTER_MILLISECONDS,
        application_name="bucketwise",
        **options,
    )


def connection_parameters(settings: Settings) -> tuple[str, dict[str, Any]]:
    """What libpq needs to know, as a URL and as keywords that come on top of it.

    Other than by URL, the server must prove by TLS that it is the host which was asked for.
    """
    if settings.database_url.get_secret_value():
        return settings.database_url.get_secret_value(), {}
    user, password = _login(settings)
    return "", {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": user,
        "password": password,
        "sslmode": "verify-full",
        "sslrootcert": settings.database_ca or str(RDS_ROOTS),
    }


def _login(settings: Settings) -> tuple[str, str]:
    if settings.database_auth == "secret":
        return read_login(settings.database_secret)
    return settings.database_user, _iam_token(settings)


def _iam_token(settings: Settings) -> str:
    """Signed here, without a call: good for 15 minutes, and asked for only when a connection opens."""
    import boto3

    token: str = boto3.client("rds").generate_db_auth_token(
        DBHostname=settings.database_host, Port=settings.database_port, DBUsername=settings.database_user
    )
    return token
