"""Demo data: a published workflow of the harbour desk that runs with no model, asks a person and ends with a result."""

import json
from typing import Any

from accounts.caller import Caller, Door
from accounts.models import User
from accounts.scopes import Scope
from agents_hub.models import Agent
from workflows.graph.shapes import Graph, Settings
from workflows.models import Workflow
from workflows.services.versions import create_version, publish_version

AGENT = "Harbour desk"
RULES = "Prices are in euros. Nobody is promised a berth that nobody has confirmed."


def fill(owner: User) -> Workflow | None:
    """The workflow of the demo's agent, made through the services where that has none. Returns the one made."""
    caller = Caller(user_id=owner.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    agent = Agent.objects.for_caller(caller).filter(name=AGENT, workflows=None).order_by("created_at").first()
    if agent is None:
        return None
    version = create_version(
        caller, agent_id=agent.pk, graph=Graph.model_validate(GRAPH), settings=Settings(max_iterations=20), rules=RULES
    )
    return publish_version(caller, agent_id=agent.pk, workflow_id=version.pk)


def _script(*calls: tuple[str, dict[str, Any]]) -> str:
    lines = (json.dumps({"call": name, "arguments": arguments}) for name, arguments in calls)
    return "\n".join(["```script", *lines, "```"])


READ = _script(
    (
        "todos",
        {
            "todos": [
                {"content": "Note the wish", "status": "in_progress"},
                {"content": "Ask the harbour master", "status": "pending"},
            ]
        },
    ),
    ("util_get_datetime", {"time_zone": "Europe/Berlin"}),
    ("scratchpad_write", {"text": "{{.boat}} wants a berth for {{.nights}} nights."}),
    (
        "complete_task",
        {
            "summary": "{{.boat}} wants a berth for {{.nights}} nights, at 24 a night.",
            "variables": {"price_a_night": 24},
        },
    ),
)
ASK = _script(
    (
        "ask_user",
        {
            "questions": [
                {
                    "question": "Which berth does {{.boat}} get?",
                    "header": "Berth",
                    "options": [
                        {"label": "North 4", "description": "Sheltered, and far from the town."},
                        {"label": "South 1", "description": "Beside the ferry."},
                    ],
                }
            ]
        },
    ),
    ("complete_task", {"summary": "The harbour master has answered.", "variables": {"berth_is_settled": True}}),
)
DECIDE = _script(
    (
        "decide_outcome",
        {
            "outcome": "berth given",
            "reasoning": "The harbour master has answered.",
            "result": {"boat": "{{.boat}}", "price_a_night": 24},
        },
    ),
)
GRAPH: dict[str, Any] = {
    "nodes": [
        {
            "id": "read",
            "name": "Read the wish",
            "type": "iris",
            "description": "Notes what the guest wants, and what it costs.",
            "is_start_node": True,
            "properties": {
                "instructions": f"{{{{.boat}}}} asks for a berth for {{{{.nights}}}} nights. Note that.\n\n{READ}",
                "tools": ["todos", "util_get_datetime", "scratchpad_write"],
            },
            "position": {"x": 0, "y": 40},
        },
        {
            "id": "ask",
            "name": "Ask the harbour master",
            "type": "iris",
            "description": "A person says which berth it is.",
            "properties": {"instructions": f"Ask which berth is free.\n\n{ASK}", "tools": ["ask_user"]},
            "position": {"x": 300, "y": 40},
        },
        {
            "id": "end",
            "name": "Answer the guest",
            "type": "output",
            "properties": {
                "outcomes": ["berth given", "no berth free"],
                "schema": {
                    "type": "object",
                    "properties": {"boat": {"type": "string"}, "price_a_night": {"type": "number"}},
                    "required": ["boat", "price_a_night"],
                    "additionalProperties": False,
                },
                "instructions": f"Tell the guest.\n\n{DECIDE}",
            },
            "position": {"x": 600, "y": 40},
        },
    ],
    "transitions": [
        {"id": "read-ask", "from": "read", "to": "ask", "type": "iris"},
        {"id": "ask-end", "from": "ask", "to": "end", "type": "outcome_success", "require_confirmation": True},
    ],
    "sticky_notes": [
        {
            "id": "about",
            "content": "No model is needed here: each task follows the script in its instructions.",
            "position": {"x": 0, "y": 150},
        }
    ],
}
