"""The output node where nothing is left to decide: one outcome and no schema. The rest needs a model."""

from workflows.engine.moves import Ending, NodeResult
from workflows.engine.work import NodeFailed, Work
from workflows.graph.properties import Output


def run_output(work: Work) -> NodeResult:
    """End with the node's one outcome."""
    output = Output.model_validate(work.node.properties)
    if len(output.outcomes) > 1 or output.result_schema is not None:
        raise NodeFailed(f"“{work.node.name}” has to be decided by a model, and none is configured.")
    return NodeResult(ending=Ending(output.outcomes[0], "It is the only outcome."))
