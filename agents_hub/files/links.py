"""Links to a file's content: signed, good for a quarter of an hour, and for one person."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.caller import Caller
from accounts.errors import NotFound
from agents_hub.models.files import StoredContent

GOOD_FOR_SECONDS = 15 * 60
SALT = "agents_hub.files.links"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link says: which file, and for whom it was made."""

    kind: str
    file_id: UUID
    user_id: int


def sign(caller: Caller, file: StoredContent) -> str:
    """The address of the content. Only for a file that was reached as this caller's."""
    return settings.PUBLIC_URL + path(caller, file)


def path(caller: Caller, file: StoredContent) -> str:
    """The same on this host, for pages."""
    token = signing.dumps([file._meta.model_name, file.pk.hex, caller.user_id], salt=SALT)
    return reverse("agents:content", args=[token])


def read(token: str) -> Claim:
    """What the link says. `NotFound` where it was not made here, was changed, or has grown old."""
    try:
        kind, file_id, user_id = signing.loads(token, salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.SignatureExpired:
        raise NotFound("This link has expired. Ask for the file again; each answer has a new link.") from None
    except signing.BadSignature:
        raise NotFound("There is no file at this address.") from None
    return Claim(kind, UUID(file_id), user_id)
