"""Clients for AWS's services: from one session, made when they are first needed, and bounded in time.

botocore's own bounds are a minute for each read and five tries: a service that hangs would outlive every deadline.
"""

from dataclasses import dataclass
from typing import Any

from bucketwise.snapstart import closed_before_snapshot, kept


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds to connect, and of each read; tries in all. botocore's pause between them is up to a second, then two."""

    connect: float
    read: float
    tries: int

    @property
    def seconds(self) -> float:
        """The longest wait for one call to a service that takes connections and says nothing."""
        return self.tries * (self.connect + self.read) + sum(2.0**n for n in range(self.tries - 1))


# While somebody waits for the answer.
PROMPT = Bounds(connect=1, read=2, tries=2)
# While nobody does: S3 may take its time, as long as it does not take an invocation's.
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
