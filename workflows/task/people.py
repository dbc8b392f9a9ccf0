"""What people said to a question that a run was given back for, apart from what they said before."""

from workflows.engine.states import Status
from workflows.engine.work import Work
from workflows.models import Activity, UserMessage


def answers(work: Work) -> list[UserMessage]:
    """The messages since the run was given back, the oldest first. One that came just before, and that nobody took up
    yet, is none of them: it is heard before the model's next answer.

    What came first is told by the activities: each is numbered while its writer holds the run. Clocks may differ.
    """
    lines = Activity.objects.filter(execution_id=work.id)
    asked = lines.filter(type="status_changed", payload__status=Status.PAUSED_BY_AGENT).order_by("-number").first()
    assert asked is not None
    since = lines.filter(type="user_message_received", number__gt=asked.number).count()
    return work.unseen_messages()[-since:] if since else []
