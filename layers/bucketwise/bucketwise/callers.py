"""Which tenant each IAM principal is of, as the setting CALLERS says it."""

import json
import re
from collections.abc import Mapping

MOST_TENANT_CHARACTERS = 256
# Names and paths as in the IAM User Guide, "IAM and STS quotas". No root: in a policy that ARN stands for a whole
# account, and here it would for one user.
_PRINCIPAL = re.compile(
    r"(?P<account>arn:aws[a-z-]*:iam::\d{12}):(?P<kind>role|user)/(?P<path>[!-~]{1,511}/)?(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)
_SESSION = re.compile(r"arn:[^:]*:sts:.*", re.DOTALL)


def callers_from_json(text: str) -> Mapping[str, str]:
    """Tenant by ARN of a role or user; of a role without its path, as ``caller_of`` of ask names it.

    Raises ValueError, whose message tells the number of the entry that is wrong, and nothing of it.
    """
    try:
        pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs) if text.strip() else []
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    # An object has become a list of pairs, which shows names that come twice; a list of JSON stays one without pairs.
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs) or text.lstrip()[:1] == "[":
        raise ValueError('it is no JSON object of the form {"arn:aws:iam::ACCOUNT:role/NAME": "tenant"}')
    tenants: dict[str, str] = {}
    for number, (arn, tenant) in enumerate(pairs, start=1):
        principal = _canonical(arn, number)
        if principal in tenants:
            raise ValueError(f"entry {number} names a principal that an entry before it names")
        if not is_tenant(tenant):
            raise ValueError(f"entry {number}: its tenant must be 1 to {MOST_TENANT_CHARACTERS} printable characters")
        tenants[principal] = tenant
    return tenants


def is_tenant(name: object) -> bool:
    """Whether it can be a tenant's name: printable, no white space but spaces within, not too long."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MOST_TENANT_CHARACTERS
        and name.isprintable()
        and name == name.strip()
    )


def _canonical(arn: str, number: int) -> str:
    if _SESSION.fullmatch(arn):
        raise ValueError(
            f"entry {number} names a session, which anybody may name as he likes: "
            "name its role, arn:aws:iam::ACCOUNT:role/NAME"
        )
    found = _PRINCIPAL.fullmatch(arn)
    if found is None:
        raise ValueError(f"entry {number} is not the ARN of a role or user, arn:aws:iam::ACCOUNT:role/NAME")
    # API Gateway tells a user's ARN with its path. Of a role it tells a session's, from which STS leaves the path out.
    path = found["path"] or "" if found["kind"] == "user" else ""
    return f"{found['account']}:{found['kind']}/{path}{found['name']}"
