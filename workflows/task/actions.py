"""The actions of AI tasks: what a model may call, what each takes, and whether it may be done again."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from agents_hub.capabilities import Capability, capabilities
from llm.turns import ToolSpec
from workflows.engine.work import Work


class ActionFailed(Exception):  # noqa: N818 - told to the model, which may do better
    """The action could not be done. The message is for the model, and for people in the activities."""


# What an action gives the model: text, or anything that JSON can hold.
Perform = Callable[[Work, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a model can do. `repeatable`: done twice it does no harm, so that after a lost worker it is done again.

    `alters`: the outcome matters outside, so that a lost one is told to the model as unknown.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    perform: Perform
    family: str
    repeatable: bool = False
    required: bool = False

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, self.arguments.model_json_schema())

    def read(self, arguments: dict[str, Any]) -> BaseModel:
        """The arguments in their shape; `ActionFailed` names each fault, so that the model can mend its call."""
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False, include_context=False)
            )
            raise ActionFailed(f"The arguments of {self.name} do not fit. {faults}.") from None


class Actions:
    """All actions by name; each is a capability that nodes can be given. Filled while Django starts."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def add(self, action: Action) -> None:
        capabilities.add(Capability(action.name, action.description, action.family, action.required))
        self._actions[action.name] = action

    def of(self, names: Iterable[str]) -> list[Action]:
        """Those named, and those that every task has, in the order of their names."""
        wanted = set(names)
        return [action for name, action in sorted(self._actions.items()) if action.required or name in wanted]


actions = Actions()
