"""What is not shown to strangers, of all the addresses that the URL map knows."""

from django.test import Client

from tests.browser import world
from tests.browser.addresses import addresses


def test_a_stranger_is_sent_to_sign_in_by_every_page_that_is_not_open_to_anyone(client: Client, db: None) -> None:
    owned = world.populated()
    let_in = []
    for address in addresses(world.values(owned)):
        answer = client.get(address.url)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if address.name not in world.OPEN_TO_ANYONE and answer.status_code == 200 and is_page:
            let_in.append(address.url)
    assert not let_in
