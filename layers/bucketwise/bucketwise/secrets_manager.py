"""Secrets read from AWS Secrets Manager when they are needed, so that no environment variable holds one."""

import json
from typing import Any

from bucketwise.aws_clients import PROMPT, aws_client
from bucketwise.deadline import Deadline
from bucketwise.errors import DeadlineExceeded, SecretUnavailable
from bucketwise.snapstart import kept


def read_secret(secret: str, deadline: Deadline | None = None) -> str:
    """The text of the secret with this name or ARN, as it is now.

    Raises SecretUnavailable, or DeadlineExceeded with less time left than a service that hangs might take.
    """
    if deadline is not None and deadline.remaining() < PROMPT.seconds:
        raise DeadlineExceeded("too little time was left to read a secret")
    client = _client()
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        reply = client.get_secret_value(SecretId=secret)
    except ClientError as error:
        raise SecretUnavailable(f"Secrets Manager refused ({error.response['Error']['Code']})") from None
    except BotoCoreError as error:
        raise SecretUnavailable(f"Secrets Manager did not answer ({type(error).__name__})") from None
    text: str = reply.get("SecretString", "")
    return text


def read_login(secret: str, deadline: Deadline | None = None) -> tuple[str, str]:
    """User and password from a secret of the form that RDS keeps: ``{"username": ..., "password": ...}``."""
    try:
        login: Any = json.loads(read_secret(secret, deadline))
        return str(login["username"]), str(login["password"])
    except (ValueError, KeyError, TypeError):
        raise SecretUnavailable("the database's secret does not hold username and password") from None


@kept
def _client() -> Any:
    return aws_client("secretsmanager", PROMPT)
