"""Nothing of another organization's has a page."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.workflows.factories import WorkflowFactory
from tests.workflows.pages.rows import execution
from workflows.models import Publication, UserMessage

pytestmark = pytest.mark.django_db


def test_what_is_somebody_elses_is_not_found(browser: Client) -> None:
    other = execution(WorkflowFactory())
    assert browser.get(reverse("workflows:execution", args=[other.pk])).status_code == 404
    assert browser.post(reverse("workflows:execution", args=[other.pk]), {"message": "Hello"}).status_code == 404
    assert browser.post(reverse("workflows:ask-status", args=[other.pk]), {"status": "paused"}).status_code == 404
    for name in ("execution-labels", "comment", "upload", "sync", "execution-variables"):
        assert browser.get(reverse(f"workflows:{name}", args=[other.pk])).status_code == 404, name
    assert not UserMessage.objects.exists()
    other = WorkflowFactory()
    for name in ("version", "run", "delete-version"):
        address = reverse(f"workflows:{name}", args=[other.agent_id, other.pk])
        assert browser.get(address).status_code == 404, name
    for name in ("versions", "new-version", "compare", "publications"):
        assert browser.get(reverse(f"workflows:{name}", args=[other.agent_id])).status_code == 404, name
    assert browser.post(reverse("workflows:publish", args=[other.agent_id, other.pk])).status_code == 404
    assert not Publication.objects.exists()
