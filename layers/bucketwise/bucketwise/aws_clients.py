"""Clients for AWS's services: from one session, made when they are first needed, and bounded in time.

botocore's own bounds are a minute for each read and five tries: a service that hangs outlived every deadline.
"""

from dataclasses import dataclass
from typing import Any

from bucketwise.snapstart import closed_before_snapshot, kept


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds to connect, and of each read; tries in all. Between two tries botocore waits up to a second, or two."""

    connect: float
    read: float
    tries: int

    @property
    def seconds(self) -> float:
        """After which nothing was heard for as long as that of a service that hangs: the longest wait for one call."""
        return self.tries * (self.connect + self.read) + sum(2.0**n for n in range(self.tries - 1))


# While somebody waits for the answer.
PROMPT = Bounds(connect=1, read=2, tries=2)
# While nobody does: S3 may take its time, as long as an invocation is not over before it says something.
PATIENT = Bounds(connect=3, read=15, tries=3)


@kept
def session() -> Any:
    """boto3's, which keeps what it has read of services and credentials."""
    import boto3  # a third of a second that a request without AWS's services need not pay

    return boto3.Session()


def aws_client(service: str, bounds: Bounds, **config: Any) -> Any:
    """boto3's client for the service. ``config`` goes to botocore's Config."""
    from botocore.config import Config

    bounded = Config(
        connect_timeout=bounds.connect,
        read_timeout=bounds.read,
        retries={"total_max_attempts": bounds.tries, "mode": "standard"},
        **config,
    )
    return closed_before_snapshot(session().client(service, config=bounded))
