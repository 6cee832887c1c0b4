"""What API Gateway is told of a caller (its developer guide, "Output from a Lambda authorizer")."""

from typing import Any


def policy(principal: str, method_arn: str, *, tenant: str | None) -> dict[str, Any]:
    """Allows the whole API and stage to a caller with a tenant, and denies it to one without.

    API Gateway keeps a policy for a token, whatever route it was asked for with: one that named a route would refuse
    the next one. ``method_arn`` is ``arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH``.
    """
    api, stage = method_arn.split("/")[:2]
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Deny" if tenant is None else "Allow",
        "Resource": f"{api}/{stage}/*/*",
    }
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {} if tenant is None else {"tenant": tenant},
    }
