"""Labels and comments on the wire: the contract's shapes, and what changes them."""

from typing import Annotated

from pydantic import Field, RootModel, model_validator

from agents_hub.shapes.wire import Id
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, Result
from workflows.ids import CommentId, ExecutionId, LabelId
from workflows.models import Comment, Label
from workflows.services.marks import DEFAULT_COLOR, LONGEST_COMMENT, LONGEST_NAME, MOST_LABELS

LabelName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
# As ECMA-262 has it, which JSON Schema goes by: no flags within.
Color = Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$", description="Written like #1f6feb.")]
Content = Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT)]


class LabelShape(Result):
    id: Id
    organization_id: Id
    name: str
    color: str
    created_at: Moment

    @classmethod
    def of(cls, label: Label) -> "LabelShape":
        return cls(
            id=label.pk,
            organization_id=label.organization.uid,
            name=label.name,
            color=label.color,
            created_at=label.created_at,
        )


class CommentShape(Result):
    id: Id
    execution_id: Id
    user_id: Id | None
    content: str
    public: bool
    created_at: Moment
    updated_at: Moment | None

    @classmethod
    def of(cls, comment: Comment) -> "CommentShape":
        return cls(
            id=comment.pk,
            execution_id=comment.execution_id,
            user_id=comment.user.uid if comment.user else None,
            content=comment.content,
            public=comment.public,
            created_at=comment.created_at,
            updated_at=comment.updated_at,
        )


class Labels(RootModel[list[LabelShape]]):
    """Labels by name."""


class ListLabels(Arguments):
    organization_id: OrganizationId


class OneLabel(Arguments):
    label_id: LabelId


class CreateLabel(Arguments):
    organization_id: OrganizationId
    name: LabelName
    color: Color = DEFAULT_COLOR


class UpdateLabel(OneLabel):
    name: LabelName | None = None
    color: Color | None = None


class SetLabels(Arguments):
    execution_id: ExecutionId
    label_ids: Annotated[list[LabelId], Field(max_length=MOST_LABELS, description="All that it is to have.")]


class AddComment(Arguments):
    execution_id: ExecutionId
    content: Content
    public: Annotated[bool, Field(description="Whether people outside of the organization may be shown it.")] = False


class OneComment(Arguments):
    execution_id: ExecutionId
    comment_id: CommentId


class UpdateComment(OneComment):
    content: Content | None = None
    public: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> "UpdateComment":
        if self.content is None and self.public is None:
            raise ValueError("give content, public or both")
        return self
