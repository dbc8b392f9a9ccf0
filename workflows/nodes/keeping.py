"""What a run keeps of what its nodes work out: all variables together are bounded."""

import json
from collections.abc import Mapping
from typing import Any

from workflows.engine.work import Work

# Of all variables of a run, in characters of JSON: each commit that changes one writes them all.
MOST_KEPT = 4_000_000


def refusal(work: Work, variables: Mapping[str, Any]) -> str | None:
    """Why these cannot be kept beside what the run has; nothing where they can."""
    size = len(json.dumps({**work.execution.variables, **variables}, ensure_ascii=False)) if variables else 0
    if size <= MOST_KEPT:
        return None
    return f"the run's variables would have {size:,} characters, and at most {MOST_KEPT:,} are kept. Keep less of them."
