"""The output node: the end of a run. With one outcome and no schema it is plain; everything else a model decides."""

from functools import partial

from asgiref.sync import async_to_sync

from workflows.engine.moves import Ending, NodeResult
from workflows.engine.work import Work
from workflows.graph.properties import Output
from workflows.task import decision
from workflows.task.assignment import Assignment
from workflows.task.loop import Task
from workflows.task.prompt import filled

# How often a model may call for an end that does not fit.
TRIES = 5
ASKED = "The run is at its end. Decide by what the steps found which of the outcomes it has, and call decide_outcome."


def run_output(work: Work) -> NodeResult:
    """End with the node's one outcome, or as a model decides: it is told what does not fit, and asked again."""
    output = Output.model_validate(work.node.properties)
    if len(output.outcomes) == 1 and output.result_schema is None:
        return NodeResult(ending=Ending(output.outcomes[0], "It is the only outcome."))
    return async_to_sync(Task(work, assignment_of(work, output)).run)()


def assignment_of(work: Work, output: Output) -> Assignment:
    is_heeded = output.instructions and output.instructions_enabled is not False
    own = filled(work, output.instructions or "") if is_heeded else ""
    return Assignment(
        instructions=f"{ASKED}\n\n{own}".strip(),
        ending=decision.decision(output),
        result_of=partial(decision.ending_of, output),
        tries=TRIES,
    )
