"""Pages run in threads that are kept, with their database connections."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from config.kept_threads import KEPT, KeptThreads


def backend(request: HttpRequest) -> HttpResponse:
    """The process of PostgreSQL that answers this request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


urlpatterns = [path("backend", backend)]


def running(view: Callable[[], object]) -> KeptThreads:
    """Pages of which each request does this in its thread."""

    async def pages(scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():  # as Django does
            await sync_to_async(view)()

    return KeptThreads(pages)


async def nothing(*message: Any) -> Any:
    raise AssertionError("nothing here reads or answers")


async def ask(pages: KeptThreads) -> None:
    await pages({"type": "http"}, nothing, nothing)


def test_requests_after_each_other_share_threads() -> None:
    threads: list[threading.Thread] = []

    async def one_by_one() -> None:
        pages = running(lambda: threads.append(threading.current_thread()))
        async with pages.running():
            for _ in range(2 * KEPT):
                await ask(pages)

    anyio.run(one_by_one)
    assert len(threads) == 2 * KEPT
    assert len(set(threads)) <= KEPT


def test_as_many_requests_as_come_run_at_once() -> None:
    every = threading.Barrier(KEPT + 2)

    async def all_at_once() -> None:
        pages = running(lambda: every.wait(10))
        async with pages.running():
            await asyncio.gather(*(ask(pages) for _ in range(KEPT + 2)))

    anyio.run(all_at_once)


def test_a_request_that_was_given_up_holds_up_no_other() -> None:
    begun, let_go = threading.Event(), threading.Event()

    def view() -> None:
        if not begun.is_set():
            begun.set()
            assert let_go.wait(10)

    async def give_up_and_go_on() -> None:
        pages = running(view)
        async with pages.running():
            given_up = asyncio.create_task(ask(pages))
            await asyncio.to_thread(begun.wait, 10)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
            for _ in range(KEPT):
                await asyncio.wait_for(ask(pages), 5)
            let_go.set()

    anyio.run(give_up_and_go_on)


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[])
def test_requests_after_each_other_share_connections_of_the_database() -> None:
    async def answers() -> list[str]:
        pages = KeptThreads(get_asgi_application())
        transport = httpx2.ASGITransport(app=pages)
        async with pages.running(), httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return [(await client.get("/backend")).text for _ in range(2 * KEPT)]

    found = anyio.run(answers)
    assert all(answer.isdigit() for answer in found)
    assert len(set(found)) <= KEPT
