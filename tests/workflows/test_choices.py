"""What forms offer to choose from."""

import pytest

from agents_hub.models import Profile
from tests.agents_hub.factories import ProfileFactory
from workflows.pages import forms
from workflows.pages.forms import Before, RunForm


@pytest.mark.django_db
def test_a_profile_beyond_those_offered_stays_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_CHOICES", 1)
    first: Profile = ProfileFactory(name="Anchor")
    chosen: Profile = ProfileFactory(name="Buoy", organization=first.organization)
    foreign: Profile = ProfileFactory(name="Chart")

    def offered(profile: Profile) -> list[str]:
        before = Before(profile_id=profile.pk)
        form = RunForm(None, organization_id=first.organization_id, inputs=[], before=before)
        return [label for _, label in form["profile_id"].field.choices]  # type: ignore[attr-defined]

    assert offered(chosen) == ["None", "Anchor", "Buoy"]
    assert offered(first) == offered(foreign) == ["None", "Anchor"]
