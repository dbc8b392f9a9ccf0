"""Starting a run by page: of a version, with its inputs and files, or one that was made before once more."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.caller import Caller
from accounts.errors import DomainError
from accounts.page_caller import caller, is_signed_in
from agents_hub.files import content
from agents_hub.services.staged_files import stage_files
from security import body_size
from workflows.models import Execution, Workflow
from workflows.pages.addresses import id_in
from workflows.pages.forms import Before, StartForm
from workflows.services import executions
from workflows.services import versions as service
from workflows.services.attaching import uploads_of


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def run(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    """Start a run; `?again=` names one that it begins as, and is a rerun of."""
    who = caller(request)
    version = service.find_version(who, workflow_id=workflow_id, agent_id=agent_id)
    again = id_in(request, "again")
    before = executions.find_execution(who, again) if again else None
    form = _form(request, version, before)
    if form.is_valid():
        try:
            execution = _start(who, version, form, before)
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("workflows:execution", execution.pk)
    if form.is_bound:
        form.ask_for_files_again()
    context = {
        "agent": version.agent,
        "version": version,
        "before": before,
        "form": form,
        "faults": service.faults_of(version.drawn, agent_id=agent_id),
    }
    return render(request, "workflows/run.html", context, status=422 if form.errors else 200)


def _form(request: HttpRequest, version: Workflow, before: Execution | None) -> StartForm:
    is_sent = request.method == "POST"
    return StartForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        organization_id=version.agent.organization_id,
        inputs=version.needed_inputs,
        before=Before.of(before),
        metadata=before.metadata if before else {},
        files_before=uploads_of(before) if before else [],
    )


def _start(who: Caller, version: Workflow, form: StartForm, before: Execution | None) -> Execution:
    chosen, inputs, options = form.cleaned_data, form.values(), form.options()
    # Before files are staged: a browser does not offer those that were chosen once more.
    executions.refuse_what_cannot_start(version, inputs, options)
    organization_id = version.agent.organization.uid
    sent = chosen["files"]
    staged = stage_files(who, organization_id=organization_id, files=sent) if sent else []
    return executions.execute_workflow(
        who,
        agent_id=version.agent_id,
        workflow_id=version.pk,
        inputs=inputs,
        metadata=chosen["metadata"],
        profile_id=chosen["profile_id"],
        pool_id=chosen["pool_id"],
        temp_files=[(file.pk, file.name) for file in staged],
        options=options,
        parent_id=before.pk if before else None,
        with_parents_files=bool(chosen.get("keep_files")),
    )
