"""The state of a document as tags of its object, for those who look at the bucket and not at the API."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ingest.receipts import Outcome, Receipt

MOST_TAGS = 10  # S3: of one object
PREFIX = "bucketwise-"
TAGGED = {Outcome.INDEXED, Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Tagger:
    """``client`` is boto3's S3 client."""

    client: Any
    bucket: str

    def tag(self, key: str, receipt: Receipt) -> bool:
        """Tags exactly the version that the receipt is of; whether it did.

        The user's own tags stay, and come first: there may be ten. A tag is a courtesy, so a bucket that
        refuses one is not an error.
        """
        if receipt.outcome not in TAGGED:
            return False
        name = {"Bucket": self.bucket, "Key": key} | ({"VersionId": receipt.version} if receipt.version else {})
        try:
            kept = [
                tag for tag in self.client.get_object_tagging(**name)["TagSet"] if not tag["Key"].startswith(PREFIX)
            ]
            tags = kept + tags_of(receipt)[: MOST_TAGS - len(kept)]
            self.client.put_object_tagging(**name, Tagging={"TagSet": tags})
        except (BotoCoreError, ClientError):
            return False
        return True


def tags_of(receipt: Receipt) -> list[dict[str, str]]:
    """The most important first."""
    embedding = receipt.embedding_in_all
    values = {
        "state": receipt.outcome.value,
        "reason": receipt.reason.value if receipt.reason else None,
        "chunks": receipt.chunks,
        "embedded": embedding.embedded,
        "reused": embedding.reused,
        "tokens": embedding.tokens,
        "usd": f"{embedding.cost_usd:.6f}" if embedding.cost_usd is not None else None,
        "seconds": f"{receipt.seconds:.1f}" if receipt.seconds is not None else None,
    }
    return [{"Key": f"{PREFIX}{name}", "Value": str(value)} for name, value in values.items() if value is not None]
