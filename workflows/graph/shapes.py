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


class Node(Part):
    """A step of the work. Which properties it takes depends on its type (`graph.properties`)."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)]
    type: NodeType
    description: Annotated[str, Field(max_length=2_000)] = ""
    properties: dict[str, Any] = Field(default_factory=dict)
    is_start_node: bool = False
    task: Annotated[str, Field(max_length=20_000)] | None = None
    position: Position | None = None


class Transition(Part):
    """A way from one node to another, and what decides whether it is taken."""

    id: Identifier
    source: Annotated[Identifier, Field(alias="from")]
    target: Annotated[Identifier, Field(alias="to")]
    type: TransitionType
    require_confirmation: bool = False
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
