"""Where the content of people's files lies: a folder of this machine, or a bucket that speaks S3."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import environment as env


def storage(var: Path) -> dict[str, Any]:
    """The entry of STORAGES. The libraries for S3 are imported when they are used, so they are needed only there."""
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
    if missing := [name for name in ("boto3", "storages") if find_spec(name) is None]:
        raise ImproperlyConfigured(
            f"FILES_S3_BUCKET is set, and {' and '.join(missing)} is not installed: "
            "pip install --no-deps --require-hashes -r requirements-extras.txt"
        )
    # Keys come as boto3 finds them: the machine's role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    return {
        "BACKEND": "agents_hub.files.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.text("FILES_S3_ENDPOINT") or None,
            "region_name": env.text("FILES_S3_REGION") or None,
            "default_acl": None,
            "file_overwrite": False,
        },
    }
