"""The demo people: one who signs in with a key at hand, a colleague, and the organization they share."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.models import Membership, Organization, Role, Subscription, TokenUsage, User
from accounts.scopes import Scope
from accounts.services import keys
from accounts.services.people import settle_in
from accounts.services.plans import change_plan

EMAIL, COLLEAGUE_EMAIL = "demo@example.com", "robin@example.com"
ORGANIZATION = "Lantern Studio"
PLAN = "GROWTH"
DAYS_OF_USE = 45


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """How to sign in as the demo person, and their API key with the scope write."""

    email: str
    password: str
    key: str

    def __repr__(self) -> str:
        return f"DemoLogin({self.email})"


def fill() -> DemoLogin:
    """Make the demo people, or what is missing of them. The login is kept in var/, readable by its owner alone, so that
    the same password and key work after a restart."""
    kept = _kept()
    with transaction.atomic():
        user = _person(EMAIL, "Demo Person")
        password = kept.get("password", "")
        if not password or not user.check_password(password):
            password = secrets.token_urlsafe(12)
            user.set_password(password)
            user.save(update_fields=["password"])
        _organization(user, _person(COLLEAGUE_EMAIL, "Robin Vale"))
        _plan_and_use(user)
        key = kept.get("key", "")
        verified = keys.verify(key)
        if verified is None or verified.user_id != user.pk:
            caller = Caller(user_id=user.pk, scope=Scope.ADMIN, door=Door.COMMAND)
            key = keys.create_key(caller, name="Demo client", scope=Scope.WRITE).text
    login = DemoLogin(user.email, password, key)
    _keep(login)
    return login


def _person(email: str, name: str) -> User:
    return User.objects.filter(email=email).first() or User.objects.create_user(email, name=name)


def _organization(admin: User, member: User) -> None:
    organization, _ = Organization.objects.get_or_create(slug="lantern-studio", defaults={"name": ORGANIZATION})
    for user, role in ((admin, Role.ADMIN), (member, Role.MEMBER)):
        Membership.objects.get_or_create(user=user, organization=organization, defaults={"role": role})
        settle_in(user)


def _plan_and_use(user: User) -> None:
    """A paid plan, and AI tokens used in a weekly rhythm; once, so that what an operator changes stays."""
    if TokenUsage.objects.filter(user=user).exists():
        return
    change_plan(Caller.system(user.pk), user_id=user.pk, plan_code=PLAN)
    today = timezone.now().date()
    Subscription.objects.filter(user=user).update(started_on=today - timedelta(days=75))
    TokenUsage.objects.bulk_create(
        TokenUsage(user=user, day=day, product="bots", tokens=(900 if day.weekday() > 4 else 2_600) + day.day * 37)
        for day in (today - timedelta(days=back) for back in range(DAYS_OF_USE))
    )


def _file() -> Path:
    return Path(settings.VAR) / "demo_login.json"


def _kept() -> Mapping[str, str]:
    try:
        kept: Mapping[str, str] = json.loads(_file().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _keep(login: DemoLogin) -> None:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(asdict(login), out)
