"""S3 and SQS of the local twin: moto's, with S3's own event messages, safe queues and a state file."""
