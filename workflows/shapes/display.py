"""How an activity is meant to be shown: how much it matters to whoever looks on, and what it belongs together with."""

from typing import Any

from workflows.models import Activity

# What is not named here is beside the point of most who look on: secondary.
LEVELS = {
    "status_changed": "primary",
    "transitioned_node": "primary",
    "user_message_received": "primary",
    "generic": "primary",
    "file_added": "primary",
    "terminal": "primary",
    "step_started": "system",
    "step_completed": "system",
    "compaction_started": "system",
    "compaction_performed": "system",
    "script_variables_substituted": "system",
}


def display_of(activity: Activity) -> dict[str, Any]:
    """What stands in its row, over what its type says. The lines of one action have their group in common."""
    shown: dict[str, Any] = {"presentationLevel": LEVELS.get(activity.type, "secondary")}
    if action := activity.payload.get("actionId"):
        shown["groupId"] = str(action)
    return shown | (activity.display or {})
