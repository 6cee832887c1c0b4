"""Who calls, as API Gateway has verified it."""

from collections.abc import Mapping
from typing import Any

ANONYMOUS = "anonymous"


def caller_of(event: Mapping[str, Any]) -> str:
    """The ARN of who signed the request, else the authorizer's principal, else "anonymous".

    Read from the request's context alone, which no caller can write: headers and body count for nothing. Nor does the
    name of a session, which is whatever its maker likes. Of an assumed role it is ``arn:aws:iam::ACCOUNT:role/NAME``:
    without the role's path, which STS leaves out; the name is one of a kind in its account (IAM User Guide, "IAM
    identifiers"). All of an account's federated users are one caller, ``arn:aws:sts::ACCOUNT:federated-user``.
    """
    context = _mapping(event.get("requestContext"))
    arn = _text(_mapping(context.get("identity")).get("userArn"))
    if arn:
        return _without_session(arn)
    return _text(_mapping(context.get("authorizer")).get("principalId")) or ANONYMOUS


def _without_session(arn: str) -> str:
    match arn.split(":", 5):
        case ["arn", partition, "sts", region, account, resource]:
            kind, _, name = resource.partition("/")
            if kind == "assumed-role":
                return f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
            return f"arn:{partition}:sts:{region}:{account}:{kind}"
    return arn


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
