"""The message broker of a machine that has none: kombu's transport over a folder, made atomic.

Kombu's own writes a message in place, so that a reader may take half of it, and names it by a clock that starts anew
with the machine. Here a message is written beside its place and renamed into it: it appears whole or not at all, in
the order of sending, and an exchange's table of bindings likewise. A message is gone from the folder once a worker has
it, so a worker that is killed loses it: see `config.celery` for why that is enough.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps, loads

URL = "filesystem://localhost"


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        # Twenty digits of nanoseconds, so that names sort by time.
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):
            # The first dot ends the stamp; a draft has one in front and so never matches.
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.processed_folder) / name
            try:
                os.rename(Path(self.data_folder_in) / name, taken)
            except FileNotFoundError:  # another worker was quicker
                continue
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        with self._table(exchange) as table:
            table.add((routing_key or "", pattern or "", queue or ""))

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        with self._table(exchange) as table:
            table.discard((routing_key or "", pattern or "", queue or ""))

    @contextmanager
    def _table(self, exchange: str) -> Iterator[set[tuple[str, str, str]]]:
        """The exchange's bindings to change, one process at a time."""
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        with (self.control_folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = {(each.routing_key, each.pattern, each.queue) for each in self.get_table(exchange)}
            after = set(before)
            yield after
            if after != before:
                _write_whole(file, sorted(after))


def _write_whole(file: Path, content: Any) -> None:
    draft = file.with_name(f".{uuid.uuid4()}.draft")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(str_to_bytes(dumps(content)))
        os.replace(draft, file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ChannelError(f"{file} could not be written: {error}") from error


class Transport(filesystem.Transport):
    Channel = Channel


def options(folder: Path) -> dict[str, Any]:
    """The transport's options for a broker that lives in `folder`, which is made where missing."""
    messages, taken, control = folder / "messages", folder / "taken", folder / "control"
    for part in (messages, taken, control):
        part.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "processed_folder": str(taken),
        "control_folder": str(control),
        "polling_interval": 0.2,
    }
