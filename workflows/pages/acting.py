"""What people do to one execution by its page: ask for a status, give it files, point it at another version."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, Invalid
from accounts.page_caller import caller, is_signed_in
from accounts.pages.forms import show_refusal
from agents_hub.files import content
from agents_hub.pages.files import UploadForm
from security import body_size
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services import executions, files, versions, wishes

PAGE = "workflows:execution"
# Those offered in a choice; the API takes any.
MOST_CHOICES = 200


class SyncForm(forms.Form):
    """Which version an execution is to continue with."""

    workflow_id = forms.TypedChoiceField(label="Version", coerce=UUID, error_messages={"required": "Choose a version."})

    def __init__(self, data: Mapping[str, Any] | None, *, choices: list[tuple[str, str]]) -> None:
        super().__init__(data)
        field = self.fields["workflow_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


@require_POST
@login_required
def ask_status(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Pause, resume, confirm, refuse or cancel."""
    wanted = request.POST.get("status", "")
    if wanted not in Status.values:
        raise Invalid("Choose what the execution is to do.")
    said = wishes.ask_status(caller(request), execution_id=execution_id, status=Status(wanted))
    messages.success(request, said)
    return redirect(PAGE, execution_id)


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def upload(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Give files to an execution that has not ended."""
    who = caller(request)
    execution = executions.find_execution(who, execution_id)
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        try:
            added = files.upload_context_files(who, execution_id=execution_id, files=request.FILES.getlist("files"))
        except DomainError as error:
            form.add_error("files", error.message)
        else:
            said = f"“{added[0].name}” is" if len(added) == 1 else f"{len(added)} files are"
            messages.success(request, f"{said} given to the execution; the agent finds them in uploads.")
            return redirect(PAGE, execution_id)
    context = {"execution": execution, "form": form}
    return render(request, "workflows/execution_upload.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sync(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Have an execution continue with another version of its agent."""
    who = caller(request)
    execution = executions.find_execution(who, execution_id)
    choices = _other_versions(request, execution)
    form = SyncForm(request.POST if request.method == "POST" else None, choices=choices)
    if form.is_valid():
        chosen = form.cleaned_data["workflow_id"]
        try:
            wishes.sync(who, agent_id=execution.agent_id, workflow_id=chosen, execution_id=execution_id)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"It continues with {dict(choices)[str(chosen)]} at its next step.")
            return redirect(PAGE, execution_id)
    context = {"execution": execution, "form": form, "choices": choices}
    return render(request, "workflows/execution_sync.html", context, status=422 if form.errors else 200)


def _other_versions(request: HttpRequest, execution: Execution) -> list[tuple[str, str]]:
    page = versions.page_of_versions(caller(request), agent_id=execution.agent_id, page=1, page_size=MOST_CHOICES)
    return [(str(version.pk), str(version)) for version in page.rows if version.pk != execution.workflow_id]
