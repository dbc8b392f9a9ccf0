"""The audit: what was done in a person's name, through which door, how it ended. Who may use the admin sees all."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.caller import Door
from accounts.models import ApiKey, User
from accounts.page_caller import person
from dashboard.audit_names import audit_names
from dashboard.paging import keyset_page
from dashboard.sorting import Direction, sorting
from security.models import AuditEntry, AuditQuerySet

DOORS = {
    Door.MCP: "MCP",
    Door.REST: "REST",
    Door.PAGE: "Pages",
    Door.ADMIN: "Administration",
    Door.COMMAND: "Command line",
    Door.TASK: "Background",
    Door.CHAT: "Chats",
}
COLUMNS: dict[str, Direction] = {"when": "desc"}
MEANINGS = {AuditEntry.Outcome.OK: "ok", AuditEntry.Outcome.REFUSED: "warn", AuditEntry.Outcome.ERROR: "error"}


class AuditFilter(forms.Form):
    outcome = forms.ChoiceField(required=False, choices=[("", "Any"), *AuditEntry.Outcome.choices])
    door = forms.ChoiceField(required=False, choices=[("", "Any"), *((door.value, DOORS[door]) for door in DOORS)])
    action = forms.CharField(required=False, max_length=80)
    target = forms.CharField(label="On", required=False, max_length=200)
    # Followed from an application's name; an id beyond what the column holds is none.
    application = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def narrow(self, entries: AuditQuerySet) -> AuditQuerySet:
        """The entries asked for; a filter that is no choice of ours is left out."""
        self.is_valid()
        chosen = {name: self.cleaned_data.get(name, "") for name in ("outcome", "door")}
        entries = entries.filter(**{name: value for name, value in chosen.items() if value})
        if application := self.cleaned_data.get("application"):
            entries = entries.filter(application_id=application)
        if target := self.cleaned_data.get("target", "").strip():
            entries = entries.filter(target=target)
        action = self.cleaned_data.get("action", "").strip()
        return entries.filter(action__startswith=action) if action else entries


@require_safe
@login_required
def audit(request: HttpRequest) -> HttpResponse:
    reader = person(request)
    narrowing = AuditFilter(request.GET)
    order = sorting(request, COLUMNS)
    entries = narrowing.narrow(AuditEntry.objects.visible_to(reader))
    page = keyset_page(request, entries, size=50, oldest_first=order.direction == "asc")
    return render(
        request,
        "dashboard/audit.html",
        {
            "lines": _lines(list(page.rows)),
            "next_cursor": page.next_cursor,
            "sorting": order,
            "filter": narrowing,
            "is_narrowed": any(narrowing.cleaned_data.values()),
            "sees_everyone": reader.is_staff,
        },
    )


def _lines(entries: list[AuditEntry]) -> list[dict[str, Any]]:
    """Each entry with the words for what it holds as numbers: whose it was, and which key or application."""
    people = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id is not None})
    keys = ApiKey.objects.in_bulk({entry.api_key_id for entry in entries if entry.api_key_id is not None})
    applications = audit_names.of("application_id", entries)
    return [
        {
            "entry": entry,
            "door": DOORS.get(Door(entry.door), entry.door) if entry.door in set(Door) else entry.door,
            "meaning": MEANINGS.get(AuditEntry.Outcome(entry.outcome), ""),
            "who": people.get(entry.user_id) if entry.user_id is not None else "Asterism",
            "key": keys.get(entry.api_key_id) if entry.api_key_id is not None else None,
            "application": applications.get(entry.application_id) if entry.application_id is not None else None,
        }
        for entry in entries
    ]
