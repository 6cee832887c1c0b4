"""What CloudFormation and Lambda tell of a deployed stack."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

NEEDED = ("ApiUrl", "BucketName", "DeadLetterQueueUrl", "ReconcileFunctionName")
BOUNDED = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})


class StackUnreadable(Exception):
    """There is no such stack, it is none of ours, or AWS said no; the message says which."""


@dataclass(frozen=True, slots=True)
class Stack:
    """``prefix`` is what all keys of documents begin with; ``namespace`` is that of the functions' metrics.

    ``tenant_folders``: the first folder below ``prefix`` is the tenant of a document.
    """

    api_url: str
    bucket: str
    dead_letter_url: str
    region: str
    prefix: str
    namespace: str
    tenant_folders: bool

    def place(self, prefix: str | None) -> str:
        """What the key of the check's document is to begin with. Raises StackUnreadable if no caller would find it."""
        below = self.prefix if prefix is None else prefix
        if not below.startswith(self.prefix):
            raise StackUnreadable(f"the stack reads only keys that begin with {self.prefix}")
        if self.tenant_folders and "/" not in below.removeprefix(self.prefix):
            folder = f"PREFIX={self.prefix}TENANT/"
            raise StackUnreadable(f"folders are tenants (TenantFolders): name the one of the caller's tenant, {folder}")
        return below


def read_stack(name: str, session: boto3.Session) -> Stack:
    """Raises StackUnreadable."""
    try:
        [found] = session.client("cloudformation", config=BOUNDED).describe_stacks(StackName=name)["Stacks"]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        missing = [output for output in NEEDED if output not in outputs]
        if missing:
            raise StackUnreadable(f"the stack {name} has no output {', '.join(missing)}")
        # These variables are the same for all functions; this one's name is an output.
        variables = _variables(session, outputs["ReconcileFunctionName"])
    except (BotoCoreError, ClientError) as error:
        raise StackUnreadable(str(error)) from error
    parameters = {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])}
    return Stack(
        api_url=outputs["ApiUrl"].rstrip("/"),
        bucket=outputs["BucketName"],
        dead_letter_url=outputs["DeadLetterQueueUrl"],
        region=found["StackId"].split(":")[3],
        prefix=parameters.get("DocumentsPrefix", ""),
        namespace=variables.get("POWERTOOLS_METRICS_NAMESPACE", "Bucketwise"),
        tenant_folders=variables.get("TENANT_FOLDERS") == "true",
    )


def _variables(session: boto3.Session, function: str) -> dict[str, str]:
    reply: dict[str, Any] = session.client("lambda", config=BOUNDED).get_function_configuration(FunctionName=function)
    variables: dict[str, str] = reply.get("Environment", {}).get("Variables", {})
    return variables
