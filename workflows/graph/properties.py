"""What each type of node takes as its properties, and each type of transition."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from workflows.graph.shapes import NodeType, Part, TransitionType

# The capability that stands for the tools of the agent's remote servers.
MCP_CALL = "mcp_call"
# The variable in which the scratchpad is kept.
SCRATCHPAD = "scratchpad"

Text = Annotated[str, Field(max_length=100_000)]
Needed = Annotated[str, StringConstraints(min_length=1, max_length=100_000, strip_whitespace=False)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]

# RFC 9110, section 5.1.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _header_name(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise PydanticCustomError("header_name", "the name of a header has letters, digits and - alone")
    return name


class ScriptVariable(Part):
    """A value that the model works out before the script runs."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
    type: Literal["string", "number", "boolean"]
    description: Annotated[str, Field(max_length=2_000)] = ""


class ScriptOfTask(Part):
    """The script that an AI task learnt or was given."""

    script: Text = ""
    llm_vars: list[ScriptVariable] = Field(default_factory=list)
    freeze_script: bool = False


class AITask(Part):
    """`iris`: a model with instructions and the capabilities listed, and nothing else."""

    instructions: Needed
    tools: list[str] = Field(default_factory=list)
    model: Annotated[str, Field(max_length=200)] = ""
    temperature: Temperature | None = None
    batch_actions: bool = False
    snapshot_compression: bool = False
    freeze: bool | None = None
    execution_mode: Literal["default", "scripted"] | None = None
    thinking_mode: Literal["adaptive", "enabled", "disabled"] | None = None
    thinking_budget_tokens: Annotated[int, Field(ge=1)] | None = None
    thinking_effort: Literal["low", "medium", "high", "max"] | None = None
    playwright_script_properties: ScriptOfTask | None = None
    learn_and_compile: bool | None = None


class ApiCall(Part):
    """`api`: one HTTP request; what it answers is kept for the nodes after it."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: Needed
    headers: dict[Annotated[str, AfterValidator(_header_name)], str] = Field(default_factory=dict)
    body: dict[str, Any] = Field(default_factory=dict)


class OpenPage(Part):
    """`url`: open an address in the browser."""

    url: Needed


class Script(Part):
    """`playwright_script`: a script in the browser, with values the model fills in."""

    script: Needed
    llm_vars: list[ScriptVariable] = Field(default_factory=list)


class Output(Part):
    """`output`: the end, with one of its outcomes and, where there is a schema, a result that fits it."""

    outcomes: Annotated[list[str], Field(min_length=1, max_length=50)]
    # `schema` is a method of pydantic's models, so the field is called otherwise here.
    result_schema: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    instructions: Text | None = None
    instructions_enabled: Annotated[bool | None, Field(alias="instructionsEnabled")] = None


class ChosenByModel(Part):
    type: Literal["iris"] = "iris"


class ChosenBySelector(Part):
    """Taken when an element matches the selector on the page."""

    type: Literal["selector"] = "selector"
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    selector: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class TakenOnSuccess(Part):
    type: Literal["outcome_success"] = "outcome_success"


OF_NODE: Mapping[NodeType, type[BaseModel]] = {
    "iris": AITask,
    "api": ApiCall,
    "url": OpenPage,
    "playwright_script": Script,
    "output": Output,
}
OF_TRANSITION: Mapping[TransitionType, type[BaseModel]] = {
    "iris": ChosenByModel,
    "selector": ChosenBySelector,
    "outcome_success": TakenOnSuccess,
}
