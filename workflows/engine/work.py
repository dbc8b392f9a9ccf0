"""What a node is given to work with, and the ways in which its work can stop before it is done."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from workflows.engine import store
from workflows.engine.activities import Line, step_started
from workflows.engine.moves import NodeResult
from workflows.engine.states import Status
from workflows.engine.store import Held, PointRow, Seen
from workflows.engine.worktime import Slice, WorkTime
from workflows.graph.shapes import Graph, Node
from workflows.models import Checkpoint, Execution, UserMessage
from workflows.secrets import Secrets

# Why a node is to stop now: its worker goes to others or ends, a person paused or cancelled, the time is up, or the
# execution is somebody else's by now.
Reason = Literal["turn_over", "worker_ends", "paused", "cancelled", "timeout", "fenced"]
# For these it comes to the end of what is under way; and anything else goes before them.
GENTLE: frozenset[Reason | None] = frozenset({None, "turn_over", "paused"})


class Interrupted(Exception):  # noqa: N818 - not an error: the run was told to stop here
    """The node stopped where it was told to. What it had checkpointed is there when the run goes on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Waiting(Exception):  # noqa: N818 - not an error: the run goes on when somebody answers, or the time has come
    """The node cannot go on by itself now: it asks people, or waits for a time. Its checkpoints are stored.

    With questions the run fails when nobody answers within `seconds`; without any it goes on by itself after them.
    `point` is written when the execution is given back, so that whoever goes on knows what it waited for.
    """

    def __init__(self, reason: str, *, questions: Sequence[dict[str, Any]] = (), seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.questions = list(questions)
        self.seconds = seconds
        self.point: PointRow | None = None


class NodeFailed(Exception):  # noqa: N818 - the run's failure, in words for people
    """The node cannot do its work, and the run fails with this message."""


@dataclass
class Interrupt:
    """The one thing a run is interrupted by. Set from another thread; whoever waits registers how it is woken."""

    reason: Reason | None = None
    _event: threading.Event = field(default_factory=threading.Event)
    _wake: Callable[[], object] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, reason: Reason) -> None:
        """The first reason stays, but for a gentle one, which anything else goes before."""
        with self._lock:
            if self.reason in GENTLE and not (self.reason == "paused" and reason == "turn_over"):
                self.reason = reason
            self._event.set()
        wake = self._wake
        if wake is not None:
            wake()

    def take_back(self) -> None:
        """Forget a pause; anything else stays."""
        with self._lock:
            if self.reason == "paused":
                self.reason = None
                self._event.clear()

    @property
    def is_gentle(self) -> bool:
        """Whether what is under way may come to its end."""
        return self.reason in GENTLE

    def wait(self, seconds: float) -> None:
        """Wait so long, or raise `Interrupted` as soon as that comes about."""
        self._event.wait(seconds)
        self.check()

    def check(self) -> None:
        if self.reason is not None:
            raise Interrupted(self.reason)

    def on(self, wake: Callable[[], object] | None) -> None:
        """Have `wake` called when it is set, at once if it is set already. None forgets the last one."""
        self._wake = wake
        if wake is not None and self._event.is_set():
            wake()


@dataclass
class Work:
    """One visit of one node. A node reads what it needs here and writes through `checkpoint` alone."""

    held: Held
    execution: Execution
    graph: Graph
    node: Node
    step: int
    interrupt: Interrupt
    worktime: WorkTime
    slice: Slice
    checkpoints: list[Checkpoint]
    secrets: Secrets = field(default_factory=Secrets)
    # Of the action being done: what tells it from all others, the same again after a takeover; and whether the run was
    # given back for it, so that what it waited for is over.
    action_key: str = ""
    resumed: bool = False
    _heard: list[UserMessage] = field(default_factory=list)
    # Whether people have been told that the step began: with the first thing that is stored of it.
    told: bool = False

    @property
    def id(self) -> UUID:
        return self.held.id

    @property
    def seconds_left(self) -> float:
        """Until its time at work is over; waiting for people does not count."""
        return self.worktime.left

    @property
    def values(self) -> dict[str, Any]:
        """What placeholders are filled with: the inputs, and what earlier nodes worked out over them."""
        return {**self.execution.inputs, **self.execution.variables}

    def checkpoint(self, kind: str, body: Any, *, action_id: str = "", lines: Sequence[Line] = ()) -> Checkpoint:
        """Store what happened, with its activities; from now on it is not done again. Raises `Fenced`."""
        row = self.point(kind, body, action_id=action_id)
        seen = store.checkpoint(self.held, row, self.begun(lines), {"active_seconds": self.worktime.spent})
        self._heard.clear()
        point = Checkpoint(
            execution_id=self.id, step=row.step, number=row.number, kind=kind, body=row.body, action_id=action_id
        )
        self.checkpoints.append(point)
        self.heed(seen)
        # Not between an action's beginning and the action: whoever took it over would not know that it was not done.
        if kind != Checkpoint.Kind.ACTION_BEGUN and self.slice.is_over():
            self.interrupt.set("turn_over")
        return point

    def point(self, kind: str, body: Any, *, action_id: str = "") -> PointRow:
        """The next checkpoint, to be stored; it holds no secret's value."""
        number = self.checkpoints[-1].number + 1 if self.checkpoints else 1
        heard = [message.pk for message in self._heard]
        return PointRow(self.step, number, kind, self.secrets.hide(body), action_id, heard)

    def keep(self, name: str, value: Any) -> None:
        """Set a variable now, and not with the step's end."""
        self.execution.variables = {**self.execution.variables, name: self.secrets.hide(value)}
        self.heed(store.commit(self.held, {"variables": self.execution.variables}, []))

    def tell(self, *lines: Line) -> None:
        """Store activities alone."""
        self.heed(store.commit(self.held, {}, self.begun(lines)))

    def begun(self, lines: Sequence[Line]) -> list[Line]:
        """The lines without secrets, after the one that the step began where that was not told yet."""
        first = [] if self.told else [step_started(self.step)]
        self.told = True
        return [*first, *(Line(line.type, self.secrets.hide(line.payload), line.display) for line in lines)]

    def heed(self, seen: Seen) -> None:
        """Take up what people want: from the next check on the node is interrupted."""
        if seen.wanted in (Status.PAUSED, Status.CANCELLED):
            self.interrupt.set("paused" if seen.wanted == Status.PAUSED else "cancelled")

    def unseen_messages(self) -> list[UserMessage]:
        """What people said that no step has taken up, the oldest first."""
        taken = [message.pk for message in self._heard]
        unseen = UserMessage.objects.filter(execution_id=self.id, seen_in_step=None).exclude(pk__in=taken)
        return list(unseen.order_by("id"))

    def take_up(self, messages: Sequence[UserMessage]) -> None:
        """Have them noted as seen, by the next checkpoint: they are in it."""
        self._heard += messages


class NodeKind(Protocol):
    """What carries out one type of node."""

    def __call__(self, work: Work) -> NodeResult: ...
