"""What is posted to an endpoint."""

from agents_hub.shapes.wire import Id
from mcp_gateway.shapes import Moment, Result
from workflows.models import Execution, WebhookDelivery
from workflows.shapes.executions import ExecutionShape


class TrialShape(Result):
    """Of an event that somebody sent to see whether it arrives."""

    endpoint_id: Id
    organization_id: Id


class Event(Result):
    type: str
    timestamp: Moment
    data: ExecutionShape | TrialShape

    @classmethod
    def of(cls, delivery: WebhookDelivery, execution: Execution | None) -> "Event":
        """`execution` with its relations, and none for a test. Links are left out: who holds one needs no sign-in."""
        data: ExecutionShape | TrialShape
        if execution is None:
            data = TrialShape(endpoint_id=delivery.endpoint_id, organization_id=delivery.endpoint.organization.uid)
        else:
            data = ExecutionShape.of(execution).model_copy(
                update={
                    "recording_url": None,
                    "live_view_url": None,
                    "browser_recording_url": None,
                    "browser_live_view_url": None,
                }
            )
        return cls(type=delivery.type, timestamp=delivery.occurred_at, data=data)
