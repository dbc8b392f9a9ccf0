"""Conversations with everything in them that a chat's page can show."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User
from agents_hub.models import (
    Agent,
    Conversation,
    Inquiry,
    Message,
    Speaker,
    ToolUse,
    Turn,
    TurnCall,
    TurnEvent,
    TurnStatus,
    TurnStep,
)
from llm.storing import answer_as_json, said_by_model

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ANSWER = """High water is at **04:10** and at **16:35**; the outer dock is deep enough from two hours before.

| Berth | Depth | Free |
|---|--:|---|
| North 4 | 6.2 m | from 14:00 |
| North 5 | 4.8 m | now |

Take `North 5` if your draught is less than 4 m:

```python
def fits(draught: float, depth: float = 4.8) -> bool:
    return draught + 0.5 < depth
```

- The pilot wants [two hours' notice](https://pilots.example.com/notice).
- Fuel is at the *east* quay."""
FORM = {
    "type": "object",
    "properties": {
        "draught": {"type": "number", "description": "In metres."},
        "flag": {"type": "string", "enum": ["SE", "NO", "DK"]},
        "pilot": {"type": "boolean"},
    },
    "required": ["draught"],
}


def fill(agent: Agent, person: User) -> dict[str, Sequence[object]]:
    """A long one whose last answer failed, and one under way that waits for its person in every way there is."""
    long = _long(agent, person)
    waiting = _waiting(agent, person)
    empty = Conversation.objects.create(
        agent=agent, organization=agent.organization, owner=person, draft="What was typed before leaving"
    )
    turn = long.turns.order_by("pk").first()
    assert turn is not None
    use = ToolUse.objects.filter(turn=turn, name="look").get()
    return {
        "conversation_id": [long.pk],
        "chat:conversation.conversation_id": [long.pk, waiting.pk, empty.pk],
        "turn_id": [turn.pk],
        "use_id": [use.pk],
        "number": [1],
        "suffix": ["md", "json"],
    }


def _long(agent: Agent, person: User) -> Conversation:
    made = Conversation.objects.create(
        agent=agent,
        organization=agent.organization,
        owner=person,
        title="Which berths of the outer dock are deep enough at low water?",
        pinned_at=timezone.now(),
    )
    first = _answer(made, "Which berths of the outer dock are deep enough at low water?", ANSWER, rounds=("I look.",))
    _use(
        first,
        1,
        "look",
        "Look at the tides",
        "done",
        result=[
            {"type": "text", "text": "\n".join(f"{hour:02}:00  {hour % 6} m" for hour in range(24))},
            {"type": "image", "mimeType": "image/png", "data": PIXEL},
            {"type": "resource_link", "uri": "https://tides.example.com/today", "name": "Today's table"},
        ],
    )
    _use(first, 2, "free", "Find free berths", "failed", result=[{"type": "text", "text": "<b>No such dock</b>"}])
    _use(first, 3, "book", "Book a berth", "denied", result=[{"type": "text", "text": "Not allowed."}])
    _recorded(first)
    second = _answer(made, "And tomorrow?", "Tomorrow it is", status=TurnStatus.STOPPED)
    # Another branch beside the last question.
    aside = Message.objects.create(
        conversation=made, before=first.answer, speaker=Speaker.PERSON, text="And on Sunday?"
    )
    Message.objects.create(conversation=made, before=aside, speaker=Speaker.AGENT, text="")
    _answer(
        made,
        "Then book it",
        "",
        status=TurnStatus.ERROR,
        error="main:gpt-5: the provider refused the API key (401). Check it under Models.",
    )
    assert second.is_over
    return made


def _waiting(agent: Agent, person: User) -> Conversation:
    made = Conversation.objects.create(
        agent=agent, organization=agent.organization, owner=person, title="Book North 5 for tonight"
    )
    turn = _answer(made, "Book North 5 for tonight", "", status=TurnStatus.IN_PROGRESS)
    told: list[tuple[str, dict[str, Any]]] = [
        ("problem", {"origin": "server:1", "name": "Weather", "code": "unreachable", "message": "It does not answer."}),
        ("tools", {"count": 312, "searched": True}),
        ("began", {"round": 1}),
        ("text", {"round": 1, "text": "I book it.\n\nFor that I need"}),
        ("answered", {"round": 1, "calls": 3}),
    ]
    for number, (kind, body) in enumerate(told, 1):
        TurnEvent.objects.create(turn=turn, number=number, kind=kind, body=body)
    TurnStep.objects.create(turn=turn, number=1, kind="answer", body=_answered("I book it. For that I need your word."))
    permission = _use(turn, 1, "book", "Book a berth", "waiting")
    filled = _use(turn, 2, "notify", "Notify the harbour", "running")
    visited = _use(turn, 3, "pay", "Pay the fee", "running")
    Inquiry.objects.create(
        turn=turn,
        tool_use=permission,
        kind="permission",
        asked_by="Harbour",
        message="Allow “Book a berth”?",
    )
    Inquiry.objects.create(
        turn=turn, tool_use=filled, kind="form", asked_by="Harbour", message="What ship is it?", schema=FORM
    )
    Inquiry.objects.create(
        turn=turn, tool_use=visited, kind="page", asked_by="Bank", message="Pay.", url="https://bank.example.com/pay"
    )
    return made


def _answer(
    conversation: Conversation,
    asked: str,
    text: str,
    *,
    rounds: Sequence[str] = (),
    status: TurnStatus = TurnStatus.COMPLETED,
    error: str = "",
) -> Turn:
    now = timezone.now()
    question = Message.objects.create(
        conversation=conversation, before=conversation.tip, speaker=Speaker.PERSON, text=asked
    )
    answer = Message.objects.create(
        conversation=conversation,
        before=question,
        speaker=Speaker.AGENT,
        text="\n\n".join([*rounds, text]) if text else "",
    )
    is_over = status != TurnStatus.IN_PROGRESS
    turn = Turn.objects.create(
        conversation=conversation,
        answer=answer,
        status=status,
        error=error,
        error_code="refused" if error else "",
        ended_at=now if is_over else None,
        lease_until=None if is_over else now + timedelta(hours=1),
        created_at=now - timedelta(seconds=8.4),
        model="main:gpt-5",
        input_tokens=1_840 if text else 0,
        cached_tokens=1_024 if text else 0,
        output_tokens=212 if text else 0,
        cost_usd=Decimal("0.00431") if text else None,
    )
    texts = [*rounds, text] if text and status == TurnStatus.COMPLETED else rounds
    for number, said in enumerate(texts, 1):
        TurnStep.objects.create(turn=turn, number=number, kind="answer", body=_answered(said))
    conversation.tip = answer
    conversation.save(update_fields=["tip"])
    return turn


def _answered(text: str) -> dict[str, Any]:
    """What is stored of a model's answer."""
    return answer_as_json(said_by_model(text, "main:gpt-5"))


def _use(turn: Turn, place: int, name: str, title: str, status: str, *, result: Any = None) -> ToolUse:
    is_over = status not in ("waiting", "running")
    now = timezone.now()
    return ToolUse.objects.create(
        turn=turn,
        round=1,
        place=place,
        name=name,
        title=title,
        origin="server:1",
        origin_name="Harbour",
        arguments={"dock": "outer", "from": "2026-03-01T20:00", "metres": 4.5},
        status=status,
        result={"content": result, "structured": {"depth": 4.8}} if result else None,
        started_at=now - timedelta(seconds=2.3),
        ended_at=now if is_over else None,
    )


def _recorded(turn: Turn) -> None:
    TurnCall.objects.create(
        turn=turn,
        number=1,
        model="main:gpt-5",
        question={"instructions": "You are Tide watcher.", "history": [{"said": "Which berths?"}], "tools": ["look"]},
        answer={"answered": "I look.", "calls": []},
        input_tokens=900,
        output_tokens=40,
        duration_ms=1_204,
    )
    TurnCall.objects.create(
        turn=turn, number=2, question={"instructions": "", "history": [], "tools": []}, error="429.", duration_ms=80
    )
