"""Who thinks in a run: models are asked for its organization, and in the name of whoever started it."""

from llm.services.thinking import Thinker
from workflows.engine.work import Work

PRODUCT = "workflows"


def thinker_of(work: Work) -> Thinker:
    return Thinker(
        organization_id=work.execution.organization_id,
        user_id=work.execution.runner_id,
        product=PRODUCT,
        subject=work.id,
    )
