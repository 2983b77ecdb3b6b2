"""A bucket made anew: once it has kept versions, S3 never again says that it does not."""

from tests.conftest import s3_client


def fresh_bucket(name: str) -> None:
    """Delete all that it keeps, the bucket too, and make it again with nothing set."""
    client = s3_client()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
    client.delete_bucket(Bucket=name)
    client.create_bucket(Bucket=name)
