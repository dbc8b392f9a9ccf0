"""Requests that another site makes somebody's browser send: refused at every address but those named here."""

import pytest
from django.test import Client

from tests.browser import world
from tests.browser.addresses import addresses

# They open with a token or a client's own secret, never with the cookie that a browser adds by itself.
OPEN_TO_PROGRAMS = {"oauth:token", "oauth:revoke", "oauth:register"}


@pytest.mark.django_db
def test_a_post_without_its_forms_token_is_refused_at_every_address() -> None:
    owned = world.populated()
    client = Client(enforce_csrf_checks=True)
    client.force_login(owned.person)
    answers = {
        address.name: client.post(address.url, {"reason": "forged"}).status_code
        for address in addresses(world.values(owned))
    }
    let_in = {name for name, status in answers.items() if status not in {403, 405}}
    assert len(answers) > 40
    assert let_in == OPEN_TO_PROGRAMS
