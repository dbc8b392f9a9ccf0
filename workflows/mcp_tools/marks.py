"""Labels and comments, which REST alone offers: the contract reads them with an execution and writes them nowhere."""

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY
from mcp_gateway.shapes import Nothing
from workflows.services import marks
from workflows.shapes.marks import (
    AddComment,
    CommentShape,
    CreateLabel,
    Labels,
    LabelShape,
    ListLabels,
    OneComment,
    OneLabel,
    SetLabels,
    UpdateComment,
    UpdateLabel,
)


@registry.tool("labelsList", server=REST_ONLY, scope=Scope.READ, title="List labels", read_only=True)
def list_labels(caller: Caller, arguments: ListLabels) -> Labels:
    """List the labels that an organization has for its executions, by name. There are at most 200."""
    found = marks.list_labels(caller, organization_id=arguments.organization_id)
    return Labels([LabelShape.of(label) for label in found])


@registry.tool("labelCreate", server=REST_ONLY, scope=Scope.WRITE, title="Create a label")
def create_label(caller: Caller, arguments: CreateLabel) -> LabelShape:
    """Create a label for the executions of an organization."""
    return LabelShape.of(marks.create_label(caller, **dict(arguments)))


@registry.tool("labelUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Update a label", idempotent=True)
def update_label(caller: Caller, arguments: UpdateLabel) -> LabelShape:
    """Rename or recolour a label, on all executions that have it; fields left out stay as they are."""
    return LabelShape.of(marks.change_label(caller, **dict(arguments)))


@registry.tool("labelDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a label", destructive=True)
def delete_label(caller: Caller, arguments: OneLabel) -> Nothing:
    """Delete a label, and take it from all executions that have it."""
    marks.delete_label(caller, label_id=arguments.label_id)
    return Nothing()


@registry.tool(
    "executionLabelsSet", server=REST_ONLY, scope=Scope.WRITE, title="Set an execution's labels", idempotent=True
)
def set_labels(caller: Caller, arguments: SetLabels) -> Labels:
    """Give an execution these labels of its organization, and no others."""
    given = marks.set_labels(caller, execution_id=arguments.execution_id, label_ids=arguments.label_ids)
    return Labels([LabelShape.of(label) for label in given])


@registry.tool("executionCommentsAdd", server=REST_ONLY, scope=Scope.WRITE, title="Comment on an execution")
def add_comment(caller: Caller, arguments: AddComment) -> CommentShape:
    """Write a comment on an execution. The agent does not see it; to tell it something, send a user message."""
    return CommentShape.of(marks.add_comment(caller, **dict(arguments)))


@registry.tool("executionCommentsUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Change a comment")
def update_comment(caller: Caller, arguments: UpdateComment) -> CommentShape:
    """Change a comment of your own; fields left out stay as they are."""
    return CommentShape.of(marks.change_comment(caller, **dict(arguments)))


@registry.tool(
    "executionCommentsDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a comment", destructive=True
)
def delete_comment(caller: Caller, arguments: OneComment) -> Nothing:
    """Delete a comment of your own or, as an admin of the organization, anybody's."""
    marks.delete_comment(caller, **dict(arguments))
    return Nothing()
