"""An agent's page: its shared files, and what can be done with each."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller, is_signed_in
from agents_hub.agent_links import agent_links
from agents_hub.files import content, links
from agents_hub.services import abilities, quota
from agents_hub.services import shared_files as service
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, ConfirmForm, page_number
from dashboard.sorting import Direction, sorting
from security import body_size

# Storages that the page offers; one beyond them has an address too.
MOST_STORAGES = 100
COLUMNS: dict[str, Direction] = {"name": "asc", "size": "desc", "created_at": "desc"}


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class UploadForm(forms.Form):
    files = forms.FileField(  # type: ignore[assignment]  # the form takes fields off the class
        label="Files",
        widget=ManyFilesInput(),
        help_text=f"Up to {content.MOST_AT_ONCE} at once, {content.LARGEST_BYTES // content.MIB} MB each.",
    )


class ReplaceForm(forms.Form):
    files = forms.FileField(  # type: ignore[assignment]  # the form takes fields off the class
        label="New content", help_text="The file keeps its name. What it holds now is gone."
    )


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def agent_page(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The agent with the files of one storage, the common one unless the address names another; files sent to it are
    added there."""
    who, storage = caller(request), _storage(request)
    agent = find_agent(who, agent_id)
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        try:
            added = service.upload_shared_files(who, agent_id=agent_id, storage_key=storage, files=_sent(request))
        except DomainError as error:
            form.add_error("files", error.message)
        else:
            messages.success(request, f"{added[0].name if len(added) == 1 else f'{len(added)} files'} added.")
            return _back(agent_id, storage)
    order = sorting(request, COLUMNS)
    page = service.page_of_shared_files(
        who,
        agent_id=agent_id,
        storage_key=storage,
        sort_field=order.field,
        sort_direction=order.direction,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    context = {
        "agent": agent,
        "links": agent_links.of(agent.pk),
        "tool_count": abilities.tool_count(who, agent, abilities.tools_of_servers(agent)),
        "direct": settings.CHAT_TOOLS_DIRECT,
        "page": page,
        "sorting": order,
        "form": form,
        "storage": storage,
        "storages": service.list_storage_keys(who, agent_id=agent_id, most=MOST_STORAGES),
        "total_size": quota.used_by(agent),
        "used": quota.used_bytes(agent.organization_id),
    }
    return render(request, "agents_hub/agent.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def download(request: HttpRequest, agent_id: UUID, file_id: UUID) -> HttpResponse:
    who = caller(request)
    return redirect(links.path(who, service.find_shared_file(who, agent_id=agent_id, file_id=file_id)))


@require_POST
@login_required
def freeze(request: HttpRequest, agent_id: UUID, file_id: UUID) -> HttpResponse:
    is_frozen = request.POST.get("frozen") == "1"
    file = service.freeze_shared_file(caller(request), agent_id=agent_id, file_id=file_id, is_frozen=is_frozen)
    return _back(agent_id, file.storage_key)


@body_size.takes(content.LONGEST_REPLACEMENT_BYTES, of=is_signed_in)
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def replace(request: HttpRequest, agent_id: UUID, file_id: UUID) -> HttpResponse:
    who = caller(request)
    agent, file = find_agent(who, agent_id), service.find_shared_file(who, agent_id=agent_id, file_id=file_id)
    form = ReplaceForm()
    if request.method == "POST":
        form = ReplaceForm(request.POST, request.FILES)
        try:
            service.replace_shared_file(who, agent_id=agent_id, file_id=file_id, files=_sent(request))
        except DomainError as error:
            form.add_error("files", error.message)
        else:
            messages.success(request, f"{file.name} is replaced.")
            return _back(agent_id, file.storage_key)
    context = {"agent": agent, "file": file, "form": form}
    return render(request, "agents_hub/file_replace.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, agent_id: UUID, file_id: UUID) -> HttpResponse:
    who = caller(request)
    agent, file = find_agent(who, agent_id), service.find_shared_file(who, agent_id=agent_id, file_id=file_id)
    form = ConfirmForm(request.POST or None, expected=file.name)
    if request.method == "POST" and form.is_valid():
        service.delete_shared_file(who, agent_id=agent_id, file_id=file_id)
        messages.success(request, f"{file.name} is deleted.")
        return _back(agent_id, file.storage_key)
    context = {"agent": agent, "file": file, "form": form}
    return render(request, "agents_hub/file_delete.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_all(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    who, storage = caller(request), _storage(request)
    agent = find_agent(who, agent_id)
    form = ConfirmForm(request.POST or None, expected=agent.name)
    if request.method == "POST" and form.is_valid():
        count = service.delete_all_shared_files(who, agent_id=agent_id, storage_key=storage)
        messages.success(request, "The file is deleted." if count == 1 else f"{count} files are deleted.")
        return redirect("agents:agent", agent_id)
    files = service.list_shared_files(who, agent_id=agent_id, storage_key=storage)
    context: dict[str, Any] = {"agent": agent, "files": files, "form": form, "storage": storage}
    return render(request, "agents_hub/files_delete.html", context, status=422 if form.errors else 200)


def _storage(request: HttpRequest) -> str:
    """The key that the address names; what is longer than any is cut, and has no files."""
    return request.GET.get("storage", service.COMMON).replace("\x00", "")[: service.LONGEST_KEY]


def _back(agent_id: UUID, storage: str) -> HttpResponse:
    """To the agent's page, where it shows that storage."""
    address = reverse("agents:agent", args=[agent_id])
    return redirect(f"{address}?{urlencode({'storage': storage})}" if storage else address)


def _sent(request: HttpRequest) -> "list[UploadedFile[Any]]":
    found: list[UploadedFile[Any]] = request.FILES.getlist("files")
    return found
