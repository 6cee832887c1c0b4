"""Passwords for PostgreSQL on RDS that are signed here, without a call, and good for 15 minutes."""

from bucketwise.aws_clients import session
from bucketwise.errors import SecretUnavailable
from bucketwise.settings import Settings

# "IAM database authentication", Amazon RDS User Guide: a token may be used for 15 minutes.
SECONDS = 900


def iam_token(settings: Settings) -> str:
    """Signed anew for each connection, with the role's credentials of this moment. Raises SecretUnavailable.

    A token that was kept would save next to nothing, and could be too old. boto3's client for RDS, which signs the
    same, reads the description of all of RDS first: about as long as importing boto3 takes.
    """
    aws = session()
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    where = f"https://{settings.database_host}:{settings.database_port}/"
    request = AWSRequest("GET", where, params={"Action": "connect", "DBUser": settings.database_user})
    try:
        credentials = aws.get_credentials()
        if credentials is None:
            raise SecretUnavailable("there are no AWS credentials to sign with")
        # They are renewed here when they are about to expire.
        SigV4QueryAuth(credentials.get_frozen_credentials(), "rds-db", aws.region_name, SECONDS).add_auth(request)
    except BotoCoreError as error:
        raise SecretUnavailable(f"AWS credentials could not be had ({type(error).__name__})") from None
    return str(request.url).removeprefix("https://")
