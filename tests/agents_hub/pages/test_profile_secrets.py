"""Credentials, cookies and proxy passwords by page: kept, replaced and deleted, and never shown."""

import pytest
from django.test import Client
from django.urls import reverse

from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from tests.agents_hub.pages.profiles import CUSTOM, PROFILE_PAGES, SECRETS, whole

pytestmark = pytest.mark.django_db


def test_a_secret_typed_into_a_refused_form_is_asked_for_again_and_not_sent_back(browser: Client) -> None:
    page = browser.post(reverse("agents:create-profile"), whole(**CUSTOM, name="")).text
    assert "Type it again" in page
    assert SECRETS[0] not in page
    assert "p.example:8080" in page


def test_credentials_are_added_replaced_and_deleted_and_never_shown(browser: Client, profile: Profile) -> None:
    add = reverse("agents:add-credential", args=[profile.pk])
    assert browser.post(add, {"name": "portal", "secret": SECRETS[2]}).status_code == 302
    credential = ProfileCredential.objects.get()
    assert (credential.name, credential.value) == ("PORTAL", SECRETS[2])
    again = browser.post(add, {"name": "Portal", "secret": SECRETS[2]})
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["name"])
    assert SECRETS[2] not in again.text
    assert browser.post(add, {"name": "Other", "secret": ""}).status_code == 422
    replace = reverse("agents:replace-credential", args=[profile.pk, credential.pk])
    assert SECRETS[2] not in browser.get(replace).text
    browser.post(replace, {"secret": "new value"})
    assert ProfileCredential.objects.get().value == "new value"
    delete = reverse("agents:delete-credential", args=[profile.pk, credential.pk])
    assert browser.post(delete, {"name": "portal"}).status_code == 422
    assert browser.post(delete, {"name": "PORTAL"}).status_code == 302
    assert not ProfileCredential.objects.exists()


def test_cookies_are_added_and_deleted(browser: Client, profile: Profile) -> None:
    add = reverse("agents:add-cookie", args=[profile.pk])
    sent = {"name": "Language", "key": "lang", "value": SECRETS[3], "domain": "d.example", "same_site": "Strict"}
    assert browser.post(add, sent | {"expiry": "2031-02-03T04:05", "secure": "on"}).status_code == 302
    cookie = ProfileCookie.objects.get()
    assert (cookie.value, cookie.same_site, cookie.secure, cookie.http_only) == (SECRETS[3], "Strict", True, False)
    assert cookie.expiry
    assert cookie.expiry.isoformat() == "2031-02-03T04:05:00+00:00"
    assert browser.post(add, sent | {"domain": ""}).status_code == 422
    delete = reverse("agents:delete-cookie", args=[profile.pk, cookie.pk])
    assert browser.post(delete, {"name": "Language"}).status_code == 302
    assert not ProfileCookie.objects.exists()


def test_no_page_of_a_profile_holds_a_secret(browser: Client) -> None:
    browser.post(reverse("agents:create-profile"), whole(**CUSTOM, tailscale_auth_key=SECRETS[1]))
    row = Profile.objects.get()
    browser.post(reverse("agents:add-credential", args=[row.pk]), {"name": "a", "secret": SECRETS[2]})
    cookie = {"name": "c", "key": "c", "value": SECRETS[3], "domain": "d.example", "same_site": "Lax"}
    browser.post(reverse("agents:add-cookie", args=[row.pk]), cookie)
    credential, kept = row.credentials.get(), row.cookies.get()
    assert (row.proxy_password, row.tailscale_auth_key, credential.value, kept.value) == SECRETS
    pages = [reverse("agents:profiles"), reverse("agents:replace-credential", args=[row.pk, credential.pk])]
    pages.append(reverse("agents:delete-cookie", args=[row.pk, kept.pk]))
    pages += [reverse(f"agents:{name}", args=[row.pk]) for name in PROFILE_PAGES]
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert not [secret for secret in SECRETS if secret in answer.text], page
