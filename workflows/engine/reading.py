"""What an execution is made of, read for whoever carries it out: its version and the secrets of its profile."""

from uuid import UUID

from pydantic import ValidationError

from security.encryption import DecryptionError
from workflows.graph.shapes import Graph, Settings
from workflows.models import Workflow
from workflows.secrets import Secrets


class CannotRun(Exception):  # noqa: N818 - the run's failure, in words for people
    """What the execution is made of cannot be read, so that nothing of it can be carried out."""


def content_of(version: Workflow) -> tuple[Graph, Settings]:
    """Its graph and settings. Raises `CannotRun` where an earlier release stored what this one does not take."""
    try:
        return version.drawn, Settings.model_validate(version.settings)
    except ValidationError as fault:
        raise CannotRun(
            f"{version} is not valid in this release of the platform. Make a new version of it and run that."
        ) from fault


def secrets_of(profile_id: UUID | None) -> Secrets:
    """The secrets of the profile, opened. Raises `CannotRun` where one does not open."""
    try:
        return Secrets.of(profile_id)
    except DecryptionError as fault:
        raise CannotRun(
            "A secret of its browser profile cannot be opened any more. Enter the profile's credentials again, then "
            "start a new run."
        ) from fault
