"""How a run ends where a model decides: one of the node's outcomes, and a result that fits its schema."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from llm.turns import ToolCall, ToolSpec
from mcp_gateway import patterns
from workflows.engine.moves import Ending, NodeResult
from workflows.graph.properties import Output
from workflows.task.actions import ActionFailed

DECIDE = "decide_outcome"
# Faults that the model is told of at once.
MOST_FAULTS = 5
# Of what is said of a value that does not fit, and of the value where that is longer, in characters.
MOST_SHOWN, MOST_OF_VALUE = 300, 100
# Keywords that are looked at for one result; so many take a second or two.
MOST_LOOKS = 100_000

Keyword = Callable[..., Iterator[ValidationError] | None]


def decision(output: Output) -> ToolSpec:
    """The tool: its arguments are an outcome, the reasons, and the result by the node's schema."""
    properties: dict[str, Any] = {
        "outcome": {"type": "string", "enum": output.outcomes},
        "reasoning": {"type": "string", "description": "Why this outcome, in a sentence or two, for people."},
    }
    if output.result_schema is not None:
        properties["result"] = _moved(output.result_schema)
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return ToolSpec(DECIDE, "End the run: say how it ended, and give its result.", schema)


def ending_of(output: Output, call: ToolCall) -> NodeResult:
    """The call as the end of the run. `ActionFailed` tells the model what does not fit, and where."""
    if call.fault:
        raise ActionFailed(call.fault)
    given = call.arguments
    _refuse(Draft202012Validator({**decision(output).parameters, "properties": _shallow(output)}), given, "")
    if output.result_schema is not None:
        _refuse(_held_to(output.result_schema), given["result"], "result")
    ending = Ending(given["outcome"], given["reasoning"], given.get("result"))
    return NodeResult(ending=ending, summary=ending.reasoning)


def _shallow(output: Output) -> dict[str, Any]:
    """The arguments without what the result itself has to be: its schema refers to its own root."""
    properties = {"outcome": {"enum": output.outcomes}, "reasoning": {"type": "string"}}
    return properties if output.result_schema is None else {**properties, "result": {}}


def _held_to(schema: dict[str, Any]) -> Draft202012Validator:
    """What compares a result with the schema, and gives up where that takes too long: alternatives within alternatives
    double the work with each level."""
    looks = itertools.count(1)

    def counted(keyword: Keyword) -> Keyword:
        def look(*arguments: Any) -> Iterator[ValidationError]:
            if next(looks) > MOST_LOOKS:
                raise ActionFailed(f"The result of {DECIDE} cannot be compared with its schema: that takes too long.")
            yield from keyword(*arguments) or ()

        return look

    keywords = {**Draft202012Validator.VALIDATORS, "pattern": _pattern}
    counting = extend(Draft202012Validator, {name: counted(keyword) for name, keyword in keywords.items()})  # type: ignore[no-untyped-call]
    validator: Draft202012Validator = counting(schema)
    return validator


def _pattern(_: object, pattern: str, given: Any, __: object) -> Iterator[ValidationError]:
    """The keyword, by an engine that no pattern keeps at work."""
    if isinstance(given, str) and not patterns.is_within(pattern, given):
        yield ValidationError(f"{given!r} does not match {pattern!r}")


def _refuse(validator: Draft202012Validator, given: Any, where: str) -> None:
    faults = sorted(validator.iter_errors(given), key=lambda fault: list(map(str, fault.absolute_path)))
    if not faults:
        return
    said = "; ".join(_in_words(fault, where) for fault in faults[:MOST_FAULTS])
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    raise ActionFailed(f"The arguments of {DECIDE} do not fit. {said}{more}. Call it again.")


def _in_words(fault: ValidationError, where: str) -> str:
    path = ".".join([where, *map(str, fault.absolute_path)]).strip(".")
    said = fault.message
    if len(said) > MOST_SHOWN:
        # They begin with the value, which a long one would leave nothing beside.
        value = repr(fault.instance)
        said = said.replace(value, f"{value[:MOST_OF_VALUE]}…")[:MOST_SHOWN]
    return f"{path or 'arguments'}: {said}"


def _moved(schema: Any, name: str = "") -> Any:
    """The schema as it stands among the arguments: what it refers to in itself lies deeper by two steps."""
    if isinstance(schema, dict):
        return {key: _moved(value, key) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_moved(value) for value in schema]
    if name == "$ref" and isinstance(schema, str) and schema.startswith("#"):
        return f"#/properties/result{schema[1:]}"
    return schema
