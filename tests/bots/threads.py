"""Doing one thing many times at once, each time over a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from accounts.errors import DomainError


def at_once(count: int, act: Callable[[int], Any]) -> list[str]:
    """How each of `count` calls fared, let go together: "ok", or the code of its domain error."""
    gate = threading.Barrier(count)
    outcomes = ["did not end"] * count

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            act(number)
            outcomes[number] = "ok"
        except DomainError as error:
            outcomes[number] = error.code
        except Exception as error:
            outcomes[number] = repr(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
