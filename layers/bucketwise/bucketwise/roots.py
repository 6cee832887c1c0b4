"""Whose certificates of a database server are believed."""

import ssl
import tempfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from bucketwise.errors import SecretUnavailable
from bucketwise.secrets_manager import read_secret

# Amazon's root certificates for RDS, of all regions.
RDS_ROOTS = Path(__file__).with_name("rds-roots.pem")
PUBLIC = "public"
ARN = "arn:"


def root_certificates(named: str) -> Path:
    """The file of roots that DATABASE_CA names: nothing, ``public``, a secret's ARN, or a path.

    libpq's own word for public authorities, ``system``, means those of the OpenSSL in psycopg's wheel, which looks for
    them where Lambda has none. Raises SecretUnavailable.
    """
    if not named:
        return RDS_ROOTS
    if named == PUBLIC:
        return Path(str(files("botocore").joinpath("cacert.pem")))
    return _file_of_secret(named) if named.startswith(ARN) else Path(named)


@lru_cache(maxsize=1)
def _file_of_secret(arn: str) -> Path:
    """Read once for each execution environment, since libpq takes certificates only by file."""
    text = read_secret(arn)
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise SecretUnavailable("the secret that DATABASE_CA names holds no certificate as PEM") from None
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="ascii") as file:
        file.write(text)
    return Path(file.name)
