"""Whose certificates of a database server are believed."""

import re
import ssl
import tempfile
from importlib.resources import files
from pathlib import Path

from bucketwise.errors import SecretUnavailable
from bucketwise.secrets_manager import read_secret
from bucketwise.snapstart import kept_for_each

# Amazon's root certificates for RDS, of all regions.
RDS_ROOTS = Path(__file__).with_name("rds-roots.pem")
PUBLIC = "public"
ARN = "arn:"
# What stands between the blocks of a PEM is a comment, in whatever script.
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


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


@kept_for_each(1)
def _file_of_secret(arn: str) -> Path:
    """Read once for each execution environment, since libpq takes certificates only by file."""
    text = "\n".join(CERTIFICATE.findall(read_secret(arn)))
    try:
        # Without a certificate this would load the system's own; one that is not ASCII is a TypeError.
        readable = bool(text) and ssl.create_default_context(cadata=text).cert_store_stats()["x509"] > 0
    except (ssl.SSLError, ValueError, TypeError):
        readable = False
    if not readable:
        raise SecretUnavailable("the secret that DATABASE_CA names holds no certificate as PEM")
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="ascii") as file:
        file.write(text)
    return Path(file.name)
