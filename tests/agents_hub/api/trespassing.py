"""Arguments that name rows, found by their schemas: filled with one's own, or with another tenant's among them."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from mcp_gateway.remote.shapes import LARGEST_ID
from tests.agents_hub.api.tenants import PLAIN, Tenant

IDS = (
    "organizationId",
    "agentId",
    "profileId",
    "poolId",
    "profileIds",
    "credentialsToDelete",
    "cookiesToDelete",
    "fileId",
    "workflowId",
    "executionId",
    "parentExecutionId",
    "agentProfileId",
    "agentProfilePoolId",
    "humanLabels",
    "parentId",
    "serverId",
    "toolId",
    "conversationId",
    "messageId",
    "after",
    "editOf",
    "turnId",
    "inquiryId",
    "toolUseId",
    "attachmentId",
    "attachments",
    "before",
    "people",
    "servers",
    "scheduledTaskId",
    "labelId",
    "labelIds",
    "commentId",
)
OWN_MEANINGS = {"ListActivities.after", "DiffWorkflow.before"}
# Of what may be left out, something has to be there.
NEEDED_TOO = {"UpdateComment": ("content",)}
# Of these a request takes one. By the tool: names mean other things elsewhere.
EXCLUDES: dict[str, dict[str, set[str]]] = {
    "": {"agentProfileId": {"agentProfilePoolId"}, "agentProfilePoolId": {"agentProfileId"}},
    "Say": {
        "agentId": {"conversationId", "after", "editOf"},
        "conversationId": {"agentId", "after", "editOf"},
        "after": {"agentId", "editOf"},
        "editOf": {"agentId", "after"},
        "attachments": {"agentId", "after", "editOf"},
    },
}


def named_ids(arguments: type[BaseModel]) -> list[str]:
    """The arguments that name rows, by what their schemas say; one that this file does not know of fails the test."""
    properties = arguments.model_json_schema(by_alias=True).get("properties", {})
    found = [name for name, schema in properties.items() if "'uuid'" in str(schema) or str(LARGEST_ID) in str(schema)]
    unknown = set(found) - set(IDS)
    assert not unknown, f"Say in tenant() and IDS what {sorted(unknown)} can be."
    return found


def named_by(arguments: type[BaseModel], name: str) -> str:
    """The key of what the argument names in a tenant's ids: names such as `after` mean other things elsewhere."""
    own = f"{arguments.__name__}.{name}"
    return own if own in OWN_MEANINGS else name


def filled(arguments: type[BaseModel], ids: dict[str, Any]) -> dict[str, Any]:
    """All ids, and of the rest what is required."""
    given = {name: ids[named_by(arguments, name)] for name in named_ids(arguments)}
    for name, field in arguments.model_fields.items():
        wire = field.alias or name
        if wire not in given and (field.is_required() or wire in NEEDED_TOO.get(arguments.__name__, ())):
            given[wire] = PLAIN[wire]
    return given


def trespasses(arguments: type[BaseModel], own: Tenant, other: Tenant) -> Iterator[dict[str, Any]]:
    """The arguments with one id of the other tenant's, each in turn, and with all of them."""
    names = named_ids(arguments)
    for name in names:
        key = named_by(arguments, name)
        sent = filled(arguments, own.ids | {key: other.ids[key]})
        # Of two that exclude each other, the one that is tried.
        yield without_what_excludes(arguments, sent, name)
    if len(names) > 1:
        yield without_what_excludes(arguments, filled(arguments, other.ids), names[-1])


def without_what_excludes(arguments: type[BaseModel], sent: dict[str, Any], name: str) -> dict[str, Any]:
    """What is sent, without what cannot be sent together with that argument."""
    excluded = EXCLUDES.get(arguments.__name__, EXCLUDES[""]).get(name, set())
    return {key: value for key, value in sent.items() if key not in excluded}
