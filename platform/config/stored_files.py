"""Where the content of people's files lies: a folder of this machine, or a bucket that speaks S3."""

from pathlib import Path
from typing import Any

from config import environment as env


def storage(var: Path) -> dict[str, Any]:
    """The entry of STORAGES. The library for S3 is imported when it is used, so it is needed only there."""
    bucket = env.text("FILES_S3_BUCKET")
    if not bucket:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": env.text("FILES_FOLDER", str(var / "files")),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    # Keys come as boto3 finds them: the machine's role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.text("FILES_S3_ENDPOINT") or None,
            "region_name": env.text("FILES_S3_REGION") or None,
            "default_acl": None,
            "file_overwrite": False,
        },
    }
