"""Makes somebody who may look at the benchmark's executions, and prints the key of their session."""

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from accounts.models import Membership, Organization, Role, User  # noqa: E402

if __name__ == "__main__":
    person = User.objects.create_user(email="bench@example.com", name="Bench", password=None)
    Membership.objects.create(user=person, organization=Organization.objects.get(slug="bench"), role=Role.MEMBER)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    print(session.session_key)
