"""The actions of AI tasks: what a model may call, what each takes, and whether it may be done again."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agents_hub.capabilities import Capability, capabilities
from llm import telling
from llm.turns import ToolSpec
from workflows.engine.work import Work

# Of what one action gives the model, in characters.
MOST_GIVEN = 50_000
# Of its arguments and of what came of it, where people are shown them.
MOST_SHOWN = 2_000


class ActionFailed(Exception):  # noqa: N818 - told to the model, which may do better
    """The action could not be done. The message is for the model, and for people in the activities."""


class Arguments(BaseModel):
    """What an action takes: what is not listed does not fit."""

    model_config = ConfigDict(extra="forbid")


# What an action gives the model: text, or anything that JSON can hold.
Perform = Callable[[Work, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a model can do.

    `repeatable`: done twice it does no harm, so that after a lost worker it is done again; of any other the model is
    told that the outcome is unknown. `ask_first`: each call waits until a person has allowed it. `called` is how
    activities name it, where models know it by another name. `is_secret`: what it gives is for the model alone.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    perform: Perform
    family: str
    repeatable: bool | Callable[[Any], bool] = False
    required: bool = False
    ask_first: bool = False
    called: str = ""
    is_secret: bool = False
    parameters: Mapping[str, Any] | None = None

    @property
    def spec(self) -> ToolSpec:
        schema = self.arguments.model_json_schema() if self.parameters is None else dict(self.parameters)
        return ToolSpec(self.name, self.description, schema)

    @property
    def shown(self) -> str:
        return self.called or self.name

    def may_be_repeated(self, arguments: dict[str, Any]) -> bool:
        if not callable(self.repeatable):
            return self.repeatable
        try:
            return self.repeatable(self.read(arguments))
        except ActionFailed:
            # What cannot be read is not carried out either.
            return True

    def read(self, arguments: dict[str, Any]) -> BaseModel:
        """The arguments in their shape; `ActionFailed` names each fault, so that the model can fix its call."""
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ActionFailed(f"The arguments of {self.name} do not fit. {faults_of(error)}.") from None


def clipped(given: Any, most: int = MOST_GIVEN) -> Any:
    """What an action gives, as it is while it is short; else its beginning, and how long it was."""
    return telling.clipped(given, most)


def faults_of(error: ValidationError) -> str:
    """What does not fit, each with where it is."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )


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
