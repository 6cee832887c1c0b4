"""The ways to deploy the stack that the README names, as the parameters that ask for them."""

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"

EXISTING_VPC = {
    "ExistingVpcId": "vpc-0123456789abcdef0",
    "ExistingSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
}
# On RDS or Aurora, in the network of the functions.
EXISTING_CLUSTER = {
    **EXISTING_VPC,
    "ExistingDatabaseHost": "papers.cluster-abc.us-east-1.rds.amazonaws.com",
    "ExistingDatabaseSecurityGroupId": "sg-0123456789abcdef0",
    "ExistingDatabaseResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ExistingDatabaseAdminSecretArn": f"{SECRET}admin-AbCdEf",
}
# Anywhere, reached through the stack's own NAT.
EXISTING_SERVER = {
    "ExistingDatabaseHost": "db.example.com",
    "ExistingDatabasePort": "6432",
    "ExistingDatabaseName": "papers",
    "ExistingDatabaseCa": "public",
    "ExistingDatabaseAuth": "secret",
    "ExistingDatabaseAdminSecretArn": f"{SECRET}admin-AbCdEf",
    "ExistingDatabaseOwnerSecretArn": f"{SECRET}owner-AbCdEf",
    "ExistingDatabaseIngestSecretArn": f"{SECRET}ingest-AbCdEf",
    "ExistingDatabaseAskSecretArn": f"{SECRET}ask-AbCdEf",
}
VARIANTS: dict[str, dict[str, str]] = {
    "everything made": {},
    "no NAT": {"NatGateway": "false", "OpenAiBaseUrl": "https://models.internal/v1"},
    "own model's server, x86_64": {"OpenAiBaseUrl": "https://models.example.com/v1", "Architecture": "x86_64"},
    "existing bucket": {
        "ExistingBucketName": "papers",
        "ExistingBucketKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
        "DocumentsPrefix": "reports/",
        "TagObjects": "true",
    },
    "existing VPC": EXISTING_VPC,
    "existing VPC without internet": {**EXISTING_VPC, "MakeEndpoints": "true"},
    "existing cluster": EXISTING_CLUSTER,
    "existing server": EXISTING_SERVER,
    "existing server, certified by its owner": {**EXISTING_SERVER, "ExistingDatabaseCaSecretArn": f"{SECRET}ca-AbCdEf"},
    "proxy": {"DatabaseProxy": "true", "DatabaseMinCapacity": "0.5"},
    "tokens": {"Auth": "jwt", "JwtIssuer": "https://login.example.com", "JwtAudience": "bucketwise"},
    "snapshots": {"SnapStart": "true", "Release": "20250101T000000Z"},
    "small account": {"AskConcurrency": "0", "ApiGatewayLogRole": "existing", "MakeDashboard": "false"},
    "reserved and watched": {
        "IngestReservedConcurrency": "5",
        "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "DailySpendAlarmUsd": "10",
        "BucketName": "papers",
        "Rerank": "endpoint",
        "RerankUrl": "https://rerank.example.com",
        "RerankKeySecretArn": f"{SECRET}rerank-AbCdEf",
    },
}
