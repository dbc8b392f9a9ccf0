"""A bucket that speaks S3, as a storage: what it does not have is a FileNotFoundError, its being away `Unavailable`.

Imported only where FILES_S3_BUCKET is set; the libraries are those of `requirements-extras.txt`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from accounts.errors import Unavailable

# A request of somebody waits meanwhile, so far shorter than the library's own minutes.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 30, 3
# What is being read lies in memory up to here, and beyond in a temporary file.
IN_MEMORY_BYTES = 1_048_576

logger = logging.getLogger(__name__)


class Bucket(S3Storage):  # type: ignore[misc]  # its library has no types
    def __init__(self, **options: Any) -> None:
        client = _config(at_amazon=not options.get("endpoint_url"))
        super().__init__(**options, client_config=client, max_memory_size=IN_MEMORY_BYTES)

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        with _answering(name):
            opened: File[Any] = super()._open(name, mode)
            opened.open()  # fetches it, so that what fails does so here
            return opened

    def _save(self, name: str, content: "File[Any]") -> str:
        with _answering(name):
            saved: str = super()._save(name, content)
            return saved

    def delete(self, name: str) -> None:
        with _answering(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _answering(name):
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _answering(name):
            folders, files = super().listdir(name)
            return folders, files

    def get_modified_time(self, name: str) -> datetime:
        with _answering(name):
            changed: datetime = super().get_modified_time(name)
            return changed


@contextmanager
def _answering(name: str) -> Iterator[None]:
    """Failures of the library within the block, in the words that every storage has for them."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as failure:
        if isinstance(failure, ClientError) and failure.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(name) from failure
        logger.error("The bucket did not do what was asked of it", exc_info=failure)
        raise Unavailable(
            "The storage of files does not answer. Nothing was changed; try again in a minute.",
            code="storage_away",
            data={"retry_after": 60},
        ) from failure


def _config(*, at_amazon: bool) -> Config:
    common: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "signature_version": "s3v4",
    }
    if at_amazon:
        return Config(**common)
    # Servers of one's own rarely have a name for each bucket, and not all know the newer checksums.
    return Config(
        **common,
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
