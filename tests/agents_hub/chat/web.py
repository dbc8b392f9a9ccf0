"""The platform's own web process, as a program for tests.

With TEST_WEB_FENCE=off whoever carries a turn out writes to it, whether or not they hold it still: what the fence is
for then goes wrong.
"""

import contextlib
import os
from collections.abc import Iterator

import django

django.setup()

from django.db import transaction  # noqa: E402

from agents_hub.chat import store  # noqa: E402
from agents_hub.models import Turn  # noqa: E402
from config.web import main  # noqa: E402


@contextlib.contextmanager
def unfenced(held: store.Held) -> Iterator[Turn]:
    with transaction.atomic():
        yield Turn.objects.select_for_update(no_key=True).get(pk=held.id)


if os.environ.get("TEST_WEB_FENCE") == "off":
    store.holding = unfenced
    # Nor are they held up by the numbers that somebody else has used.
    store.WRITE_EVENTS = store.WRITE_EVENTS.replace("AND turn.fence = line.fence", "ON CONFLICT DO NOTHING")
    store.RENEW = store.RENEW.replace("AND agents_hub_turn.fence = held.fence AND status = 'in_progress'", "")

if __name__ == "__main__":
    main()
