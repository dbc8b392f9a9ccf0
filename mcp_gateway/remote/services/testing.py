"""Testing: connect once to a server, or to a configuration that is not saved, and say what came of it.

What a test of a saved server finds is kept on its row. No transaction is open while the server is asked.
"""

from dataclasses import replace
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Throttled
from accounts.scopes import Scope
from accounts.services.organizations import administered, organization_of
from mcp_gateway.models import RemoteHealth, RemoteServer, Transport
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import refresh
from mcp_gateway.remote.probe import Report, probe
from mcp_gateway.remote.problems import Code, Problem, RemoteError
from mcp_gateway.remote.services import configuration, credentials, servers, tools
from mcp_gateway.remote.shapes import ServerDraft
from mcp_gateway.remote.targets import Credential, Target
from security import audit
from security.audit import Outcome
from security.throttle import Limit

# Each is a request to an address that somebody chose.
PACE = Limit("remote server test", 30, 60)
# What is wrong with one person's sign-in says nothing about the server.
PERSONAL = frozenset(
    {Code.NOT_CONNECTED, Code.CONNECTION_ERROR, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.SCOPE_NEEDED, Code.THROTTLED}
)


async def test_server(caller: Caller, *, server_id: int) -> Report:
    """Test a saved server, enabled or not, with what opens it for the caller. Everybody may."""
    found = await in_domain(_saved, caller, server_id)
    if isinstance(found, Problem):
        report = Report(ok=False, code=found.code, message=found.message)
    else:
        report = await _probe(found)
        await in_domain(_keep, server_id, found.revision, report)
    await in_domain(_record, caller, "remote_server.test", servers.target_name(server_id), report)
    return report


async def test_configuration(caller: Caller, *, draft: ServerDraft) -> Report:
    """Test settings before they are saved, for admins: those of a new server, or changes of a saved one.

    Nobody's sign-in is used. A server that asks for one has answered as it should.
    """
    target, needs_sign_in = await in_domain(_unsaved, caller, draft)
    report = await probe(target)
    if needs_sign_in and report.code == Code.UNAUTHORIZED:
        message = "The server answers and asks for a sign-in. Save it, then connect your account."
        report = Report(ok=False, code=Code.NOT_CONNECTED, message=message, seconds=report.seconds)
    await in_domain(_record, caller, "remote_server.test_unsaved", "", report, target.url)
    return report


async def _probe(target: Target) -> Report:
    """What the server is like; a person's token that it refuses is refreshed once."""
    report = await probe(target)
    credential = target.credential
    if report.code != Code.UNAUTHORIZED or credential.connection_id is None:
        return report
    try:
        renewed = await refresh.renew(credential.connection_id, credential.generation)
    except RemoteError as error:
        return Report(ok=False, code=error.code, message=error.message, seconds=report.seconds, error=error)
    return await probe(replace(target, credential=renewed))


def _saved(caller: Caller, server_id: int) -> Target | Problem:
    _keep_pace(caller)
    return credentials.target_of(servers.with_secrets(caller, server_id), even_disabled=True)


def _unsaved(caller: Caller, draft: ServerDraft) -> tuple[Target, bool]:
    _keep_pace(caller)
    organization = organization_of(caller, draft.organization_id)
    with transaction.atomic():
        administered(caller, organization.pk)
        row = RemoteServer(organization=organization, name="This server")
        if draft.server_id is not None:
            found = (
                RemoteServer.objects.for_caller(caller).filter(organization=organization, pk=draft.server_id).first()
            )
            if found is None:
                raise servers.not_found()
            row = found
        configuration.write_fields(row, draft)
    target = Target(
        server_id=None,
        name=row.name,
        slug="unsaved",
        url=row.url,
        transport=Transport(row.transport),
        credential=Credential(key=f"unsaved:{uuid4()}", headers=configuration.stored_headers(row)),
    )
    return target, row.needs_sign_in


def _keep_pace(caller: Caller) -> None:
    caller.require(Scope.READ)
    if wait := PACE.hit(str(caller.user_id)):
        raise Throttled(f"Too many tests in a minute. Try again in {wait} seconds.", data={"retry_after": wait})


def _keep(server_id: int, revision: int, report: Report) -> None:
    """Remember what the test says about the server, unless it was edited or deleted meanwhile."""
    answered = report.ok or report.code == Code.NO_TOOLS
    with transaction.atomic():
        row = RemoteServer.objects.select_for_update().filter(pk=server_id, revision=revision).first()
        if row is None or (row.needs_sign_in and report.code in PERSONAL):
            return
        row.tested_at = timezone.now()
        row.test_code, row.test_message = report.code or "", report.message[:1000]
        row.save(update_fields=["tested_at", "test_code", "test_message"])
        if answered:
            RemoteHealth.objects.filter(server=row).delete()
            tools.note_discovered(row.pk, report.tools)


def _record(caller: Caller, action: str, target: str, report: Report, url: str = "") -> None:
    audit.record(
        action,
        caller=caller,
        target=target,
        outcome=Outcome.OK if report.ok else Outcome.ERROR,
        error_code=report.code or "",
        duration_ms=round(report.seconds * 1000, 3),
        detail={"tools": len(report.tools)} | ({"url": url} if url else {}),
    )
