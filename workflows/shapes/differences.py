"""How two versions differ, on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field

from agents_hub.shapes.wire import Id
from mcp_gateway.shapes import Result
from workflows.graph import diff
from workflows.ids import WorkflowId
from workflows.models import Workflow
from workflows.shapes.versions import OneWorkflow


class DiffWorkflow(OneWorkflow):
    before: Annotated[
        WorkflowId | None,
        Field(
            description="What to compare it with: another version of the agent. Without it, the one it was made from."
        ),
    ] = None


class FieldShape(Result):
    path: Annotated[str, Field(description="Where in the part the value is, such as properties.method.")]
    before: Any = None
    after: Any = None

    @classmethod
    def of(cls, field: diff.Field) -> "FieldShape":
        return cls(path=field.path, before=field.before, after=field.after)


class ChangeShape(Result):
    kind: Literal["added", "removed", "changed"]
    id: str
    name: str
    fields: list[FieldShape]

    @classmethod
    def of(cls, change: diff.Change) -> "ChangeShape":
        return cls(
            kind=change.kind, id=change.id, name=change.name, fields=[FieldShape.of(one) for one in change.fields]
        )


class DifferenceShape(Result):
    before: Id
    after: Id
    nodes: list[ChangeShape]
    transitions: list[ChangeShape]
    sticky_notes: list[ChangeShape]
    settings: list[FieldShape]
    rules: Annotated[list[str], Field(description="The lines of a unified diff, without its heading.")]

    @classmethod
    def of(cls, before: Workflow, after: Workflow, found: diff.Difference) -> "DifferenceShape":
        return cls(
            before=before.pk,
            after=after.pk,
            nodes=[ChangeShape.of(change) for change in found.nodes],
            transitions=[ChangeShape.of(change) for change in found.transitions],
            sticky_notes=[ChangeShape.of(change) for change in found.sticky_notes],
            settings=[FieldShape.of(field) for field in found.settings],
            rules=found.rules,
        )
