"""The shape of a graph on the wire and in the row: the contract's names, in its spelling (snake_case).

The shape is what even a draft has to have. What a graph needs in order to run is `graph.validate`'s.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NodeType = Literal["iris", "playwright_script", "api", "url", "output"]
TransitionType = Literal["iris", "selector", "outcome_success"]

MOST_NODES = 500
MOST_TRANSITIONS = 2_000
MOST_NOTES = 500

Identifier = Annotated[str, Field(min_length=1, max_length=100)]


class Part(BaseModel):
    """A part of a graph: nothing in it that the contract does not name."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Position(Part):
    """Where a part stands on the canvas, in its pixels, from the top left."""

    x: Annotated[float, Field(allow_inf_nan=False)]
    y: Annotated[float, Field(allow_inf_nan=False)]


# What a client that writes graphs is told beside their shape; `graph.properties` holds each property to it.
OF_NODES = """By type.
iris (AI task): instructions; tools: names that listAvailableTools gives; optional model, temperature.
api: method GET, POST, PUT or DELETE; url; headers {name: text}; body {…}, sent as JSON. Its answer is kept as the \
variable {status, body} under the node's name as one word; a status from 400 on fails the run.
output (the end): outcomes, 1-30 characters each; optional schema (see schemaValidate), instructions.
url: url.
playwright_script: script, llm_vars.
In texts {{.name}} is replaced by the input or variable of that name, {{.name.part}} by a part of it, and \
${secret.NAME} by a credential of the run's profile."""
OF_TRANSITIONS = """iris: the model of an AI task chooses it by the name and description of the node it leads to. \
outcome_success: taken when the node is done, at most one a node. selector: properties {name, selector}, taken when an \
element of the page matches."""


class Node(Part):
    """A step of the work. Exactly one is the start, and an output node can be reached from each."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)]
    type: NodeType
    description: Annotated[str, Field(max_length=2_000, description="For the model that chooses where to go on.")] = ""
    properties: Annotated[dict[str, Any], Field(description=OF_NODES)] = Field(default_factory=dict)
    is_start_node: bool = False
    task: Annotated[str, Field(max_length=20_000)] | None = None
    position: Position | None = None


class Transition(Part):
    """A way from one node to another, and what decides whether it is taken."""

    id: Identifier
    source: Annotated[Identifier, Field(alias="from")]
    target: Annotated[Identifier, Field(alias="to")]
    type: Annotated[TransitionType, Field(description=OF_TRANSITIONS)]
    require_confirmation: Annotated[bool, Field(description="A person confirms before it is taken.")] = False
    properties: dict[str, Any] = Field(default_factory=dict)


class StickyNote(Part):
    """A remark on the canvas, for people."""

    id: Identifier
    content: Annotated[str, Field(max_length=5_000)]
    color: Annotated[str, Field(max_length=30)] | None = None
    position: Position | None = None


class Graph(Part):
    nodes: Annotated[list[Node], Field(max_length=MOST_NODES)] = Field(default_factory=list)
    transitions: Annotated[list[Transition], Field(max_length=MOST_TRANSITIONS)] = Field(default_factory=list)
    sticky_notes: Annotated[list[StickyNote], Field(max_length=MOST_NOTES)] = Field(default_factory=list)


class Settings(Part):
    """How a run may spend itself. Lengths in pixels, times in minutes."""

    max_iterations: Annotated[int, Field(ge=1, le=1_000)] = 100
    viewport_width: Annotated[int, Field(ge=320, le=3_840)] = 1_280
    viewport_height: Annotated[int, Field(ge=240, le=2_160)] = 800
    trim_screenshots: bool = True
    max_timeout_mins: Annotated[int, Field(ge=1, le=1_440)] = 60
    type_input_method: Literal["type", "paste", "auto"] = "auto"
    summarise: bool | None = None


class EnvironmentTemplate(Part):
    """Where a run's actions take place. Absent, it is a browser."""

    type: Literal["browser", "os"]
    config: dict[str, Any]
