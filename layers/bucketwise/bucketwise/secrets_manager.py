"""Secrets read from AWS Secrets Manager when they are needed, so that no environment variable holds one."""

import json
from typing import Any

from bucketwise.errors import SecretUnavailable

# Of one try, of two: by default botocore waits for minutes, and somebody waits for the answer.
CONNECT_SECONDS = 1
READ_SECONDS = 2


def read_secret(secret: str) -> str:
    """The current text of the secret with this name or ARN. Raises SecretUnavailable."""
    # A third of a second that a function without secrets need not pay.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    bounds = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
    )
    try:
        reply = boto3.client("secretsmanager", config=bounds).get_secret_value(SecretId=secret)
    except ClientError as error:
        raise SecretUnavailable(f"Secrets Manager refused ({error.response['Error']['Code']})") from None
    except BotoCoreError as error:
        raise SecretUnavailable(f"Secrets Manager did not answer ({type(error).__name__})") from None
    text: str = reply.get("SecretString", "")
    return text


def read_login(secret: str) -> tuple[str, str]:
    """User and password from a secret of the form that RDS keeps: ``{"username": ..., "password": ...}``."""
    try:
        login: Any = json.loads(read_secret(secret))
        return str(login["username"]), str(login["password"])
    except (ValueError, KeyError, TypeError):
        raise SecretUnavailable("the database's secret does not hold username and password") from None
