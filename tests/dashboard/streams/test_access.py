"""Who is given a stream and with which headers, and who is cut off as soon as they may no longer look on."""

import threading
from collections.abc import Callable

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from pytest_django import Settings

from accounts.models import User
from security import csp
from tests.dashboard.streams.story import Place, Story, Urls, bodies, notify, stories
from tests.factories import UserFactory
from tests.pages import session_of, signed_in
from tests.sse import Sent, opened


def test_a_subject_that_is_gone_ends_its_streams(place: Place, story: Story, session: str) -> None:
    with opened(place.url, session) as stream:
        story.tell("one")
        stream.events(1)
        story.is_gone = True
        notify()
        assert stream.rest() == [Sent("cut")]


def sign_out(person: User, session: str, client: httpx.Client) -> None:
    signed_in = Client()
    signed_in.cookies["sessionid"] = session
    signed_in.logout()


def deactivate(person: User, session: str, client: httpx.Client) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def change_password(person: User, session: str, client: httpx.Client) -> None:
    person.set_password("another lamp altogether")
    person.save()


def take_right(person: User, session: str, client: httpx.Client) -> None:
    stories["story"].refuses = True


@pytest.mark.parametrize("lose", [sign_out, deactivate, change_password, take_right])
def test_who_may_no_longer_look_on_is_cut_off_though_much_happens(
    place: Place, story: Story, person: User, session: str, settings: Settings, lose: Callable[..., None]
) -> None:
    settings.STREAM_BEAT_SECONDS = 0.3
    other = session_of(UserFactory())
    with opened(place.url, session) as stream, opened(place.url, other) as others, httpx.Client() as client:
        stream.until(":")
        story.tell("one")
        stream.until("line")
        lose(person, session, client)
        busy = threading.Event()

        def happening() -> None:
            for _ in range(200):
                if busy.wait(0.05):
                    break
                story.tell("more")
            connection.close()

        thread = threading.Thread(target=happening)
        thread.start()
        try:
            assert stream.until("cut")
            assert stream.rest() == []
        finally:
            busy.set()
            thread.join()
        if lose is not take_right:
            story.tell("for others", over=True)
            assert "for others" in bodies(others.rest())


def test_a_stranger_gets_no_stream(place: Place) -> None:
    with opened(place.url, "nobody") as stream:
        assert stream.response.status_code == 302


def test_a_view_that_refuses_after_all_gives_its_refusal(place: Place, story: Story, session: str) -> None:
    story.tell("not for them")
    with opened(f"{place.url}/refused", session) as stream:
        assert stream.response.status_code == 403
        assert "Not yours" in stream.response.read().decode()


def test_a_stream_bears_the_headers_of_every_page_and_none_that_let_it_be_gathered(place: Place, session: str) -> None:
    with opened(place.url, session, Accept_Encoding="gzip, br") as stream:
        headers = stream.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["content-security-policy"] == csp.POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "content-encoding" not in headers
    assert "content-length" not in headers


def test_a_quiet_stream_shows_that_it_is_there(place: Place, session: str, settings: Settings) -> None:
    settings.STREAM_BEAT_SECONDS = 0.1
    with opened(place.url, session) as stream:
        assert stream.until(":")[-1] == Sent(":", "still here")
        assert stream.until(":")


def test_without_the_layer_a_view_says_that_it_cannot_stream(person: User, story: Story) -> None:
    with override_settings(ROOT_URLCONF=Urls):
        client = signed_in(person)
        answer = client.get("/watch")
    assert answer.status_code == 409
