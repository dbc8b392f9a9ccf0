"""What tests of pages share: a member, whom workflows are for as much as for admins, and a draft of theirs."""

import pytest

from accounts.models import User
from tests.pages import browser
from tests.workflows.factories import WorkflowFactory
from workflows.models import Workflow

__all__ = ["browser"]


@pytest.fixture
def workflow(person: User) -> Workflow:
    made: Workflow = WorkflowFactory(agent__organization=person.organizations.get())
    return made
