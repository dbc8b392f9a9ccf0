"""The demo people that a first start makes."""

from pathlib import Path
from typing import Any

import pytest

from accounts import demo
from accounts.caller import Caller
from accounts.models import ApiKey, Organization, User
from accounts.scopes import Scope
from accounts.services import keys, plans


@pytest.fixture(autouse=True)
def _own_var(settings: Any, tmp_path: Path, db: None) -> None:
    settings.VAR = tmp_path / "var"


def test_the_demo_person_signs_in_and_has_a_key_that_writes() -> None:
    login = demo.fill()
    user = User.objects.get(email=login.email)
    assert user.check_password(login.password)
    verified = keys.verify(login.key)
    assert verified is not None
    assert (verified.user_id, verified.scope) == (user.pk, Scope.WRITE)
    assert plans.plan_of(user.pk).code == "GROWTH"
    assert 0 < plans.token_allowance(user.pk).used < 2_500_000
    assert Organization.objects.get().members.count() == 2


def test_the_login_is_kept_for_its_owner_alone_and_stays_the_same(settings: Any) -> None:
    first, again = demo.fill(), demo.fill()
    assert (again.password, again.key) == (first.password, first.key)
    (file,) = settings.VAR.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert ApiKey.objects.count() == 1


def test_a_revoked_or_forgotten_key_is_replaced(settings: Any) -> None:
    first = demo.fill()
    ApiKey.objects.all().delete()
    second = demo.fill()
    assert second.key != first.key
    assert second.password == first.password
    (settings.VAR / "demo_login.json").write_text("not json")
    assert demo.fill().password != first.password


def test_what_an_operator_changed_stays() -> None:
    login = demo.fill()
    user = User.objects.get(email=login.email)
    plans.change_plan(Caller.system(user.pk), user_id=user.pk, plan_code="STUDIO")
    demo.fill()
    assert plans.plan_of(user.pk).code == "STUDIO"


def test_the_login_does_not_show_itself_in_a_repr() -> None:
    login = demo.fill()
    assert login.password not in repr(login)
    assert login.key not in repr(login)
