"""The platform's tools that belong to no product: who calls, what the guides say, whether a schema can be used."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from accounts.caller import Caller
from accounts.models import Organization, User
from accounts.scopes import Scope
from mcp_gateway import guides, structured_output
from mcp_gateway.registry import registry

SERVER = "platform"
MOST_VIOLATIONS = 100


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Nothing(Shape):
    """No arguments."""


class OrganizationName(Shape):
    id: str
    name: str


class Context(Shape):
    user_id: str
    email: str
    organizations: list[OrganizationName]


class Question(Shape):
    query: Annotated[str, Field(min_length=1, max_length=400, description="What to look for, in a few words.")]


class Finding(Shape):
    title: str
    content: str
    url: str | None = None


class Findings(Shape):
    results: list[Finding]


class SchemaToValidate(Shape):
    schema_: Annotated[Any, Field(alias="schema", description="The JSON Schema, as an object or as JSON text.")]

    @field_validator("schema_", mode="before")
    @classmethod
    def _read_text(cls, value: Any) -> Any:
        """Models often send an object as text; what is no JSON stays text, which is a violation of its own."""
        if isinstance(value, str):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        return value


class Verdict(Shape):
    valid: bool
    errors: list[str]


@registry.tool("getContext", server=SERVER, scope=Scope.READ, title="Get context", read_only=True)
def get_context(caller: Caller, arguments: Nothing) -> Context:
    """Say who you act for, and in which organizations.

    Call this first: most other tools take an organizationId, which is an `id` here.
    """
    user = User.objects.get(pk=caller.user_id)
    organizations = Organization.objects.for_caller(caller).order_by("name", "pk")
    return Context(
        user_id=str(user.uid),
        email=user.email,
        organizations=[OrganizationName(id=str(one.uid), name=one.name) for one in organizations],
    )


@registry.tool("searchDocs", server=SERVER, scope=Scope.READ, title="Search the documentation", read_only=True)
def search_docs(caller: Caller, arguments: Question) -> Findings:
    """Search this platform's guides: how things are done, node types, connecting clients, security.

    Gives passages, the best first, each with the address of its page. Nothing found means that the guides do not say.
    """
    return Findings(
        results=[
            Finding(title=answer.title, content=answer.text, url=answer.url)
            for answer in guides.search_guides(arguments.query)
        ]
    )


@registry.tool("schemaValidate", server=SERVER, scope=Scope.READ, title="Validate a schema", read_only=True)
def validate_schema(caller: Caller, arguments: SchemaToValidate) -> Verdict:
    """Check whether a JSON Schema can be used for structured output.

    The root is an object; every object is closed (additionalProperties false) and requires all its properties; nesting,
    size and keywords stay within what models are held to. Each error begins with the JSONPath of what breaks a rule.
    """
    found = structured_output.violations(arguments.schema_)
    return Verdict(valid=not found, errors=found[:MOST_VIOLATIONS])
