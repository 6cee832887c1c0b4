"""Limits that are not ours: quotas of AWS and of a model's provider, and the template's own; each with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    value: float
    source: str


TEMPLATE = "template.yaml"
AURORA = "Amazon Aurora User Guide"
LIMITS = {
    "API Gateway, requests a second of this API": Limit(50, f"{TEMPLATE}: ThrottlingRateLimit"),
    "API Gateway, requests a second of an account": Limit(
        10_000, "API Gateway Developer Guide, Amazon API Gateway quotas"
    ),
    "Lambda, concurrent executions of an account": Limit(
        1_000, "Lambda Developer Guide, Lambda quotas; new accounts have less"
    ),
    "AskConcurrency at most": Limit(200, f"{TEMPLATE}: AskConcurrency"),
    "IngestMaximumConcurrency at most": Limit(75, f"{TEMPLATE}: IngestMaximumConcurrency"),
    "Lambda, concurrency of one SQS event source": Limit(
        1_000, "Lambda Developer Guide, Configuring scaling behavior for SQS event source mappings"
    ),
    "SQS, messages in flight": Limit(120_000, "SQS Developer Guide, Amazon SQS standard queue quotas"),
    "PostgreSQL, connections": Limit(400, f"{TEMPLATE}: max_connections; seven tenths are for the functions"),
    "Aurora, capacity units of an instance": Limit(
        256, f"{AURORA}, Requirements and limitations for Aurora Serverless v2"
    ),
    "Aurora, GiB of memory of a capacity unit": Limit(
        2, f"{AURORA}, Requirements and limitations for Aurora Serverless v2"
    ),
    "Aurora, processors of a capacity unit": Limit(
        0.25, "an assumption: AWS names none; memory-optimised instances have a processor for 8 GiB"
    ),
    "Aurora, share of memory for pages": Limit(
        0.5, "AWS Knowledge Center, shared_buffers of Aurora PostgreSQL: a half to three quarters by default"
    ),
    "Aurora, TiB of a cluster": Limit(128, f"{AURORA}, Quotas and constraints for Amazon Aurora, size limits"),
    "Aurora, readers of a cluster": Limit(15, f"{AURORA}, Replication with Amazon Aurora"),
}
# List prices of us-east-1 in 2025, in US dollars; of the model, prices.json.
PRICES: dict[str, float] = {
    "acu_hour": 0.12,
    "nat_hour": 0.045,
    "address_hour": 0.005,
    "storage_gb_month": 0.10,
    "embedding_million_tokens": 0.02,
    "hours_a_month": 730,
}


def limit(name: str) -> float:
    return LIMITS[name].value
