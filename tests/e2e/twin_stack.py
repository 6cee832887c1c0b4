"""The twin as a deployed stack: CloudFormation, Lambda and CloudWatch tell of it, as moto serves them."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.services import BUCKET
from local.storage.client import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Storage
from local.twin import Twin

NAMESPACE = "Bucketwise"
LOOK_EVERY_SECONDS = 0.2


@contextmanager
def stack_of(twin: Twin, name: str, *, prefix: str = "") -> Iterator[dict[str, str]]:
    """The environment of a command that is to see the stack ``name``. What the functions count goes to CloudWatch."""
    function = _describe_function(twin.storage, f"{name}-reconcile")
    outputs = {
        "ApiUrl": twin.url,
        "BucketName": BUCKET,
        "DeadLetterQueueUrl": twin.dead_letter_url,
        "ReconcileFunctionName": function,
    }
    template = {
        "Parameters": {"DocumentsPrefix": {"Type": "String"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},  # CloudFormation wants one at least
        "Outputs": {output: {"Value": value} for output, value in outputs.items()},
    }
    twin.storage.client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "DocumentsPrefix", "ParameterValue": prefix}],
    )
    stop = threading.Event()
    counter = threading.Thread(target=_forward_metrics, args=(twin.logs, twin.storage.client("cloudwatch"), stop))
    counter.start()
    try:
        yield {
            "AWS_ENDPOINT_URL": twin.storage.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        stop.set()
        counter.join()


def _describe_function(storage: Storage, name: str) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "")
    trusted = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = storage.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    storage.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="handler.lambda_handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE}},
    )
    return name


def _forward_metrics(logs: Path, cloudwatch: Any, stop: threading.Event) -> None:
    """What CloudWatch Logs makes of lines in its embedded metric format."""
    read: dict[Path, int] = {}
    while not stop.wait(LOOK_EVERY_SECONDS):
        for log in logs.glob("*.log"):
            content = log.read_bytes()[read.get(log, 0) :]
            whole = content[: content.rfind(b"\n") + 1]
            read[log] = read.get(log, 0) + len(whole)
            for line in whole.splitlines():
                if b'"_aws"' in line:
                    _put(json.loads(line), cloudwatch)


def _put(document: dict[str, Any], cloudwatch: Any) -> None:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": str(document[name])} for name in names]
            cloudwatch.put_metric_data(
                Namespace=directive["Namespace"],
                MetricData=[
                    {
                        "MetricName": metric["Name"],
                        "Dimensions": dimensions,
                        "Timestamp": datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC),
                        "Value": value,
                    }
                    for metric in directive["Metrics"]
                    for value in _values(document[metric["Name"]])
                ],
            )


def _values(counted: Any) -> list[float]:
    return counted if isinstance(counted, list) else [counted]
