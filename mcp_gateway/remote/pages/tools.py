"""One tool of a server: what the server says of it, what changed, what admins decide, and a form to try it."""

from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.caller import Caller
from accounts.errors import Conflict
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from dashboard import once
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote.names import tool_name
from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.pages.answers import Outcome, as_json, failure, outcome_of
from mcp_gateway.remote.pages.argument_forms import form_for, has_fields
from mcp_gateway.remote.pages.cards import Note
from mcp_gateway.remote.pages.changes import Line, difference
from mcp_gateway.remote.problems import Problem, RemoteError
from mcp_gateway.remote.services import servers, tools, trying

# What servers say of their own tools; nobody checks it.
HINTS = (
    ("readOnlyHint", "Reads only"),
    ("destructiveHint", "May destroy"),
    ("idempotentHint", "Repeatable"),
    ("openWorldHint", "Reaches out"),
)
RUN_ALREADY = Note("warn", "This was sent already and has run. To run the tool again, press the button again.")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tool_page(request: HttpRequest, server_id: int, tool_id: int) -> HttpResponse:
    """The tool; a POST runs it with the arguments of the form, once: a reload repeats nothing."""
    who = caller(request)
    server = servers.find_server(who, server_id=server_id)
    tool = tools.find_tool(who, server_id=server_id, tool_id=tool_id)
    schema = tool.definition.get("inputSchema") or {}
    by_hand = request.GET.get("as") == "json"
    form = form_for(schema, request.POST if request.method == "POST" else None, as_json=by_hand)
    outcome: Outcome | None = None
    if request.method == "POST" and form.is_valid():
        is_first = once.spend(request, request.POST.get("once", ""))
        outcome = _run(who, server_id, tool.name, form.arguments()) if is_first else Outcome(RUN_ALREADY)
    context = {
        "server": server,
        "tool": tool,
        "shown": tool.held or tool.definition,
        "offered_name": tool_name(server.slug, server.pk, tool.name),
        "is_admin": is_admin(who, server.organization_id),
        "is_new": _before(tool) is None,
        "difference": _difference(tool),
        "hints": _hints(tool.definition),
        "input_schema": as_json(schema),
        "output_schema": as_json(tool.definition["outputSchema"]) if tool.definition.get("outputSchema") else "",
        "form": form,
        "has_fields": has_fields(schema),
        "as_json": by_hand,
        "obstacle": _obstacle(who, server, tool),
        "outcome": outcome,
        "once": once.issue(request),
        # Scripts wait as long as a call may take.
        "longest_seconds": settings.MCP_REMOTE_LONGEST_CALL_SECONDS,
    }
    return render(request, "mcp_gateway/remote/tool.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def set_policy(request: HttpRequest, server_id: int, tool_id: int) -> HttpResponse:
    decided = {name: request.POST[name] == "1" for name in ("enabled", "ask_first") if name in request.POST}
    tools.set_tool_policy(caller(request), server_id=server_id, tool_id=tool_id, **decided)
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("mcp_gateway:remote-tool", server_id, tool_id)


@require_POST
@login_required
def accept(request: HttpRequest, server_id: int, tool_id: int) -> HttpResponse:
    """Accept what the admin has seen; what has changed again meanwhile is shown again."""
    digest = request.POST.get("digest", "")
    try:
        tool = tools.accept_change(caller(request), server_id=server_id, tool_id=tool_id, digest=digest)
    except Conflict as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, f"{tool.name} is accepted as it is now.")
    return redirect("mcp_gateway:remote-tool", server_id, tool_id)


def _run(who: Caller, server_id: int, name: str, arguments: Mapping[str, Any]) -> Outcome:
    try:
        # Whoever presses Run has seen what it will do: nobody else has to be asked.
        return outcome_of(async_to_sync(trying.call_named)(who, server_id, name, arguments, confirmed=True))
    except RemoteError as error:
        return failure(error)
    except Conflict as error:
        return Outcome(Note("error", error.message))


def _obstacle(who: Caller, server: RemoteServer, tool: RemoteTool) -> Note | None:
    """Why the tool cannot be tried now."""
    (found,) = servers.targets_for(who, [server.pk])
    if isinstance(found, Problem):
        return Note("warn", found.message, guides.address(found.code))
    if not tool.enabled:
        return Note("warn", "The tool is switched off, so it cannot be tried. An admin can switch it on.")
    if tool.held_digest:
        return Note("warn", "The tool is held back, so it cannot be tried until an admin accepts it.")
    return None


def _before(tool: RemoteTool) -> Mapping[str, Any] | None:
    """What the tool was before the change that waits to be looked at; None for a new one."""
    if tool.held_digest:
        return None if tool.held_digest == tool.digest else tool.definition
    return tool.previous


def _difference(tool: RemoteTool) -> list[Line]:
    before = _before(tool)
    return difference(before, tool.held or tool.definition) if before is not None and tool.changed_at else []


def _hints(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = definition.get("annotations") or {}
    return [(words, "Yes" if said[name] else "No") for name, words in HINTS if isinstance(said.get(name), bool)]
