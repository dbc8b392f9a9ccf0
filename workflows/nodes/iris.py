"""The iris node: an AI task, run on an event loop of its own within the worker's thread."""

from functools import partial

from asgiref.sync import async_to_sync

from llm.turns import Thinking
from workflows.engine.moves import NodeResult
from workflows.engine.work import Work
from workflows.graph.properties import MCP_CALL, AITask
from workflows.task import completion
from workflows.task.actions import actions
from workflows.task.assignment import Assignment
from workflows.task.loop import Task
from workflows.task.prompt import filled


def run_iris(work: Work) -> NodeResult:
    return async_to_sync(Task(work, assignment_of(work)).run)()


def assignment_of(work: Work) -> Assignment:
    """The node's task. Its tools are given the secrets that its own words name: no input and no answer adds any."""
    node = AITask.model_validate(work.node.properties)
    return Assignment(
        instructions=filled(work, node.instructions),
        ending=completion.completion(work.graph, work.node),
        result_of=partial(completion.result_of, work.graph, work.node),
        actions=actions.of(node.tools),
        model=node.model,
        temperature=node.temperature,
        thinking=Thinking(node.thinking_mode, node.thinking_budget_tokens, node.thinking_effort),
        remote=MCP_CALL in node.tools,
        secrets=work.secrets.named_in(node.instructions, work.execution.workflow.rules),
    )
