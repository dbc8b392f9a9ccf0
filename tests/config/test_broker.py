"""Messages through each broker the platform runs on: whole, once, and in order."""

import json
import multiprocessing
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue

from config import broker

SENDERS, EACH = 4, 150


def connect(url: str, folder: Path) -> Connection:
    import config.celery  # noqa: F401 - puts our transport in place of kombu's

    return Connection(url, transport_options=broker.options(folder) if url == broker.URL else {})


@pytest.fixture(params=["folder", "redis", "rabbitmq"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Connection]:
    url = broker.URL if request.param == "folder" else request.getfixturevalue(f"{request.param}_url")
    return lambda: connect(url, tmp_path)


def send(url: str, folder: Path, name: str, sender: int) -> None:
    with connect(url, folder) as connection:
        queue = connection.SimpleQueue(name)
        for number in range(EACH):
            queue.put({"sender": sender, "number": number, "padding": "x" * 20_000})
        queue.close()


def take_all(queue: Any, wanted: int) -> list[Any]:
    taken = []
    for _ in range(wanted):
        message = queue.get(timeout=30)
        taken.append(message.payload)
        message.ack()
    return taken


def test_messages_arrive_once_and_in_order(opened: Callable[[], Connection]) -> None:
    name = f"asterism-test-{uuid.uuid4().hex}"
    with opened() as connection:
        queue = connection.SimpleQueue(name, queue_opts={"durable": False}, exchange_opts={"durable": False})
        for number in range(20):
            queue.put({"number": number})
        assert [payload["number"] for payload in take_all(queue, 20)] == list(range(20))
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.3)
        queue.close()
        queue.queue.delete()


def test_the_folder_loses_nothing_between_processes_that_send_while_another_takes(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    senders = [spawn.Process(target=send, args=(broker.URL, tmp_path, "busy", number)) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    with connect(broker.URL, tmp_path) as connection:
        queue = connection.SimpleQueue("busy")
        taken = take_all(queue, SENDERS * EACH)
        queue.close()
    for sender in senders:
        sender.join(30)
        assert sender.exitcode == 0
    assert {(each["sender"], each["number"]) for each in taken} == {(s, n) for s in range(SENDERS) for n in range(EACH)}
    assert len(taken) == SENDERS * EACH
    for number in range(SENDERS):
        assert [each["number"] for each in taken if each["sender"] == number] == list(range(EACH))


def test_a_half_written_message_is_never_taken(tmp_path: Path) -> None:
    with connect(broker.URL, tmp_path) as connection:
        queue = connection.SimpleQueue("careful")
        (tmp_path / "messages" / ".draft.draft").write_text('{"half":')
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.3)
        queue.put({"whole": True})
        assert take_all(queue, 1) == [{"whole": True}]
        queue.close()


def test_an_exchange_keeps_the_bindings_of_all_who_bind_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    binders = [spawn.Process(target=bind, args=(tmp_path, f"queue-{number}")) for number in range(4)]
    for binder in binders:
        binder.start()
    for binder in binders:
        binder.join(30)
        assert binder.exitcode == 0
    table = json.loads((tmp_path / "control" / "crowd.exchange").read_text())
    assert {row[2] for row in table} == {f"queue-{number}" for number in range(4)}


def bind(folder: Path, name: str) -> None:
    from kombu import Exchange

    with connect(broker.URL, folder) as connection:
        Queue(name, Exchange("crowd", type="direct"), routing_key=name)(connection.default_channel).declare()
