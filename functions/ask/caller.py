"""Who calls, and as which tenant, as API Gateway has verified it."""

from collections.abc import Mapping
from typing import Any

from bucketwise.errors import UnknownCaller

ANONYMOUS = "anonymous"


def caller_of(event: Mapping[str, Any]) -> str:
    """The ARN of who signed the request, else the authorizer's principal, else "anonymous".

    Read from the request's context alone, which no caller can write: headers and body count for nothing. Nor does the
    name of a session, which is whatever its maker likes. Of an assumed role it is ``arn:aws:iam::ACCOUNT:role/NAME``:
    without the role's path, which STS leaves out; the name is one of a kind in its account (IAM User Guide, "IAM
    identifiers"). All of an account's federated users are one caller, ``arn:aws:sts::ACCOUNT:federated-user``.
    """
    signer = _signer(event)
    return _without_session(signer) if signer else _authorized(event, "principalId") or ANONYMOUS


def tenant_of(event: Mapping[str, Any], tenants: Mapping[str, str], *, default: str) -> str:
    """The tenant of who signed the request, by ``tenants``, or else the one that the authorizer tells.

    Read from where ``caller_of`` reads. Without any ``tenants``, who signed and who is unknown are of ``default``: IAM
    alone says who may ask. Raises UnknownCaller.
    """
    if not _signer(event) and _authorized(event, "principalId"):
        found: str | None = _authorized(event, "tenant")
    else:
        found = tenants.get(caller_of(event)) if tenants else default
    if not found:
        raise UnknownCaller("the caller is of no tenant")
    return found


def _signer(event: Mapping[str, Any]) -> str:
    return _text(_mapping(_mapping(event.get("requestContext")).get("identity")).get("userArn"))


def _authorized(event: Mapping[str, Any], name: str) -> str:
    """What the authorizer told along with its policy."""
    return _text(_mapping(_mapping(event.get("requestContext")).get("authorizer")).get(name))


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
